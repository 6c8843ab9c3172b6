from django.urls import path

from linli.clients.views import TokenView

urlpatterns = [path("token", TokenView.as_view(), name="token")]
