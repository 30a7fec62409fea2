from optical.search.retriever import Retriever as Retriever

__version__: str
