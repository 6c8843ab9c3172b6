from linli_api.clients.mutations import MUTATIONS
from linli_api.clients.queries import Query

__all__ = ["MUTATIONS", "Query"]
