"""What tests share: small models and results, trainings, servers, and folders to run the workflow in."""
