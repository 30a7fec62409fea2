"""Cross-lingual late-interaction retrieval, distilled by optimal transport (OPTICAL: Huang, Yu, Allan, WSDM 2023)."""

__version__ = "0.1.0"
