from linli_api.audit.queries import Query

__all__ = ["Query"]
