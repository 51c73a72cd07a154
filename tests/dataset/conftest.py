from finished import finished

__all__ = ["finished"]
