"""The encoder, the layouts of its folders, its vocabulary and its export."""
