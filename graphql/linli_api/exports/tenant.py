"""What a tenant's schema shows of exports."""

from linli_api.connections import Connection
from linli_api.exports import mutations
from linli_api.exports.types import Export
from linli_api.fields import ById


class Query:
    export = ById(Export, description="One of your exports.")
    exports = Connection(Export, description="Your exports.")


MUTATIONS = [mutations.ExportConnection, mutations.CancelExport]
