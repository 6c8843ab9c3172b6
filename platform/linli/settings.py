"""Settings. What differs between installations comes from the environment, and is listed here:

DATABASE_URL, OWNER_DATABASE_URL   PostgreSQL ≥ 18; without them the embedded one is started
LINLI_LOGIN                        ``app`` or ``owner``: which of the two log-ins this process uses
LINLI_ENV                          ``development`` (default) or ``production``
LINLI_SECRET_KEY                   required in production
LINLI_PLATFORM_URL                 where the platform is reached, http://linli.localhost:8000
LINLI_PLATFORM_HOSTS               further host names of the platform, comma-separated
LINLI_WEBHOOK_NETWORKS             networks that webhooks may reach besides the internet's addresses
LINLI_TRUSTED_PROXIES              how many proxies in front may be believed about a client's address
LINLI_POINTS_A_REQUEST             the most that one request to the API may cost
LINLI_POINTS_A_MINUTE              what a caller may spend a minute, if nothing else was agreed
LINLI_POINTS_A_MINUTE_ANONYMOUS    the same for an address whose callers are not logged in
LINLI_DOCUMENT_BYTES               what a process keeps of documents that were read before
LINLI_ANSWER_BYTES                 the most that one answer of the API may hold
LINLI_READ_SECONDS                 how long a query may take
LINLI_WRITE_SECONDS                how long a mutation may take
LINLI_EXPORTS                      the folder of exported files
LINLI_SIGNING_KEY                  an Ed25519 key that operating models leaving as files are signed with
LINLI_MAIL_HOST                    the SMTP server for notices; without it they are printed
LINLI_MAIL_PORT, LINLI_MAIL_SECURITY, LINLI_MAIL_USER, LINLI_MAIL_PASSWORD, LINLI_MAIL_TIMEOUT
                                   how it is reached (linli.mail)
LINLI_MAIL_FROM                    whom notices are from
SENTRY_DSN                         errors are reported there if it is set
"""

import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured

from linli.database import database_settings
from linli.embedded import checkout
from linli.mail import mail_settings

PACKAGE = Path(__file__).parent
# Where the built assets are: the checkout, or the working folder of an installed wheel.
CHECKOUT = checkout() or Path.cwd()

DEVELOPMENT = os.environ.get("LINLI_ENV", "development") == "development"
DEBUG = False  # an error page never shows settings or SQL, not in development either
SECRET_KEY = os.environ.get("LINLI_SECRET_KEY", "for development only" if DEVELOPMENT else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set LINLI_SECRET_KEY: production has no default for it.")

# What operating models that leave as files are signed with (linli.library.signing).
LINLI_SIGNING_KEY = os.environ.get("LINLI_SIGNING_KEY", "").strip()

# ── Hosts ────────────────────────────────────────────────────────────────────────────────────────
LINLI_PLATFORM_URL = os.environ.get("LINLI_PLATFORM_URL", "http://linli.localhost:8000")
LINLI_PLATFORM_HOST = str(urlsplit(LINLI_PLATFORM_URL).hostname)
LINLI_PLATFORM_HOSTS = {
    LINLI_PLATFORM_HOST,
    *filter(None, os.environ.get("LINLI_PLATFORM_HOSTS", "").split(",")),
    *({"127.0.0.1", "localhost", "[::1]"} if DEVELOPMENT else ()),
}
# Tenants bring hosts of their own, so TenantMiddleware decides, from the registry, before
# anything else sees the request.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "linli.urls"
PUBLIC_SCHEMA_URLCONF = "linli.urls"
WSGI_APPLICATION = "linli.wsgi.application"
# What takes in requests in front of it (linli.asgi).
LINLI_ASGI_APPLICATION = "linli_api.express.application.Application"

# ── Database ─────────────────────────────────────────────────────────────────────────────────────
DATABASES = database_settings()
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
LINLI_APP_LOGIN = "linli_app"
TENANT_MODEL = "registry.Tenant"
TENANT_DOMAIN_MODEL = "registry.Domain"
# `SET search_path` once a switch instead of before every statement; a rolled-back one is sent anew.
TENANT_LIMIT_SET_CALLS = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SHARED_APPS = [
    "django_tenants",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "oauth2_provider",
    "graphene_django",
    "linli.audit",
    "linli.due",
    "linli.registry",
    "linli.accounts",
    "linli.clients",
    "linli.library",
    "linli.comparison",
    "linli.budget",
    "linli.trusted",
    "linli.repeats",
    "onboarding",
    "linli_api",
]
# The apps whose tables every tenant has. A further domain is a folder under tenants/ and a line.
TENANT_APPS = [
    "linli.audit",
    "linli.repeats",
    "linli.events",
    "tenants.communities",
    "tenants.operating_model",
    "tenants.partners",
    "tenants.fund",
    "linli_api.exports",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]

# The steps that bring a tenant on the air, in order (linli.registry.provisioning).
PROVISIONING_STEPS = [
    "linli.registry.provisioning.begin",
    "linli.registry.provisioning.create_schema",
    "onboarding.sample.fill",
    "tenants.operating_model.provisioning.freeze_policies",
    "linli.registry.provisioning.open_doors",
]

# ── Requests ─────────────────────────────────────────────────────────────────────────────────────
MIDDLEWARE = [
    "linli_api.door.Door",
    "linli.registry.middleware.TenantMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "linli.accounts.middleware.SessionHostMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static", ("vendor", CHECKOUT / "build" / "assets")]
STATIC_ROOT = CHECKOUT / "build" / "static"
WHITENOISE_USE_FINDERS = DEVELOPMENT
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # What tenants export: no address of its own, linli_api.exports hands it out.
    "exports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": os.environ.get("LINLI_EXPORTS", str(CHECKOUT / ".linli" / "exports")),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if LINLI_PLATFORM_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # A browser refuses these names with a Domain: no cookie is ever shared between hosts.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"

# ── People ───────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "linli.accounts.passwords.NotTooLong",
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "django.contrib.auth.password_validation.MinimumLengthValidator",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
SESSION_ENGINE = "linli.accounts.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # office machines are shared
LOGIN_URL = "sign_in"  # the name that both kinds of host have
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
# Throttles count in the database, so they hold across gunicorn's workers and across machines. Far
# more entries than Django's 300, or a sprayer would push out its own counters.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_cacheentry",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
ACCOUNT_ADAPTER = "linli.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # sign-up is closed; allauth asks for a list
ACCOUNT_EMAIL_VERIFICATION = "none"  # e-mail is optional and set by an administrator
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_USER_DISPLAY = "linli.accounts.adapter.display_name"
# 0: X-Forwarded-For is not believed.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("LINLI_TRUSTED_PROXIES", "0"))
MFA_ADAPTER = "linli.accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Linli"
MFA_TOTP_TOLERANCE = 1

# ── Mail ─────────────────────────────────────────────────────────────────────────────────────────
globals().update(mail_settings(os.environ, sender=f"linli@{LINLI_PLATFORM_HOST}"))  # EMAIL_*

# ── Programs ─────────────────────────────────────────────────────────────────────────────────────
# Of the OAuth library's models these are ours; the others belong to flows that nobody is offered,
# so they have no tables.
OAUTH2_PROVIDER_APPLICATION_MODEL = "clients.Client"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "clients.AccessToken"
MIGRATION_MODULES = {"oauth2_provider": None}
# The library's of flows that nobody is offered, and of tokens in an address, which nobody reads there;
# Strict-Transport-Security is the affair of the proxy that ends TLS.
SILENCED_SYSTEM_CHECKS = [
    *(f"oauth2_provider.W{number:03}" for number in (1, 2, 3, 4, 5, 7, 8, 11)),
    "security.W004",
]
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # client credentials only
    "OAUTH2_VALIDATOR_CLASS": "linli.clients.oauth.Validator",
    "OAUTH2_BACKEND_CLASS": "linli.clients.oauth.Core",
    "SCOPES_BACKEND_CLASS": "linli.clients.oauth.ClientScopes",
    "ACCESS_TOKEN_GENERATOR": "linli.clients.secrets.new_access_token",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,  # digests only
}

# ── Language, time ───────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# ── Jobs ─────────────────────────────────────────────────────────────────────────────────────────
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────
LINLI_WEBHOOK_NETWORKS = [
    ip_network(network.strip())
    for network in os.environ.get("LINLI_WEBHOOK_NETWORKS", "").split(",")
    if network.strip()
]

# ── GraphQL ──────────────────────────────────────────────────────────────────────────────────────
# Who may introspect is a permission (`linli_api.execution`); in development whoever is logged in.
LINLI_INTROSPECTION_OPEN = DEVELOPMENT
# What limits a request (docs/limits.md): points of one request, and of a caller's minute.
LINLI_POINTS_A_REQUEST = int(os.environ.get("LINLI_POINTS_A_REQUEST", "5000"))
LINLI_POINTS_A_MINUTE = int(os.environ.get("LINLI_POINTS_A_MINUTE", "60000"))
LINLI_POINTS_A_MINUTE_ANONYMOUS = int(os.environ.get("LINLI_POINTS_A_MINUTE_ANONYMOUS", "6000"))
# How long a request may take; what still runs then is cancelled.
LINLI_DOCUMENT_BYTES = int(os.environ.get("LINLI_DOCUMENT_BYTES", "64000000"))
LINLI_ANSWER_BYTES = int(os.environ.get("LINLI_ANSWER_BYTES", "10000000"))
LINLI_READ_SECONDS = int(os.environ.get("LINLI_READ_SECONDS", "10"))
LINLI_WRITE_SECONDS = int(os.environ.get("LINLI_WRITE_SECONDS", "30"))

# ── Logs ─────────────────────────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # A flood of bad requests is not to become a flood of lines: a 4xx is told to who sent it.
        "django.request": {"level": "ERROR"},
        # They tell requests and tokens in full at their lower levels.
        "oauthlib": {"level": "WARNING"},
        "oauth2_provider": {"level": "WARNING"},
    },
}
if dsn := os.environ.get("SENTRY_DSN"):
    sentry_sdk.init(dsn=dsn, send_default_pii=False)
