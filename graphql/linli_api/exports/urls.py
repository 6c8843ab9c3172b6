from django.urls import path

from linli_api.exports.views import download

urlpatterns = [path("<uuid:export_id>", download, name="export")]
