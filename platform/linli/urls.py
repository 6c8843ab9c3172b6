"""The platform's own host: log-in, the library, regions, comparison."""

from django.urls import include, path

urlpatterns = [
    path("", include("linli.accounts.urls")),
    path("", include("linli.library.urls")),
    path("oauth/", include("linli.clients.urls")),
    path("graphql", include("linli_api.urls")),
    path("graphql/", include("linli_api.reference.urls")),
    path("", include("linli_api.pictures.urls")),
    path("packages/", include("linli_api.packages.urls")),
]

handler404 = "linli.programs.not_found"
