"""At the platform's host pictures are fetched; at a tenant's they are posted as well."""

from django.urls import path

from linli_api.pictures.views import picture

urlpatterns = [path("pictures/<uuid:picture_id>", picture, name="picture")]
