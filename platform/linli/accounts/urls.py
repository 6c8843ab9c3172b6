"""The platform's host: the one place where people log in.

allauth's pages are named one by one: sign-up, e-mail management and the like are not offered.
Those that write a person's credentials run in a transaction with their row in the audit trail.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.db.transaction import atomic
from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from linli.accounts import views

urlpatterns = [
    path("", views.platform_home, name="home"),
    path("hand-over/", views.hand_over, name="hand_over"),
    path("language/", set_language, name="set_language"),
    path(
        "sign-in/",
        RedirectView.as_view(pattern_name="account_login", query_string=True),
        name="sign_in",
    ),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path(
        "accounts/password/change/",
        atomic(account.password_change),
        name="account_change_password",
    ),
    path("accounts/password/set/", atomic(account.password_set), name="account_set_password"),
    path("accounts/2fa/", mfa.index, name="mfa_index"),
    path("accounts/2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/totp/activate/", atomic(totp.activate_totp), name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate/", atomic(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "accounts/2fa/recovery-codes/",
        recovery_codes.view_recovery_codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "accounts/2fa/recovery-codes/generate/",
        atomic(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "accounts/2fa/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("accounts/passkeys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("accounts/passkeys/add/", atomic(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("accounts/passkeys/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path(
        "accounts/passkeys/reauthenticate/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "accounts/passkeys/<int:pk>/edit/",
        atomic(webauthn.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path(
        "accounts/passkeys/<int:pk>/remove/",
        atomic(webauthn.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
]
