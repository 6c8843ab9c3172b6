from linli_api.viewer.queries import Query

__all__ = ["Query"]
