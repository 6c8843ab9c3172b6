"""A tenant's host: its own data."""

from django.urls import include, path

urlpatterns = [
    path("", include("linli.accounts.tenant_urls")),
    path("oauth/", include("linli.clients.urls")),
    path("graphql", include("linli_api.urls")),
    path("graphql/", include("linli_api.reference.urls")),
    path("", include("linli_api.pictures.tenant_urls")),
    path("", include("linli_api.packages.tenant_urls")),
    path("exports/", include("linli_api.exports.urls")),
]

handler404 = "linli.programs.not_found"
