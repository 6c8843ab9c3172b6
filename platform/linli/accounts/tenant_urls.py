"""A tenant's host: log-in is handed over from the platform."""

from django.urls import path
from django.views.i18n import set_language

from linli.accounts import views

urlpatterns = [
    path("", views.tenant_home, name="home"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/complete", views.complete_sign_in, name="complete_sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("language/", set_language, name="set_language"),
]
