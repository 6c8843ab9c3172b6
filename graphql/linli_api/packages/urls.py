from django.urls import path

from linli_api.packages.views import download

urlpatterns = [path("<uuid:version_id>", download, name="package")]
