"""nginx's configuration as text.  Pure; nothing in it is secret, and nothing of it is the system's own nginx.

The same text serves a process and a container: no `user`, no `daemon`.  Started by root, workers are the account that
this nginx was built for (nobody, nginx); started by another user, they are that user.
"""

from __future__ import annotations

from tasks.gateway.answers import ANSWERS, Refusal
from tasks.gateway.directives import passing, reading, tls
from tasks.gateway.included import mark_conf as mark_conf
from tasks.gateway.included import upstream_conf as upstream_conf
from tasks.gateway.included import upstream_key_conf as upstream_key_conf
from tasks.gateway.plan import LONGEST_STREAM_S, GatewayPlan

LOG = (
    '{"at":"$time_iso8601","id":"$request_id","client":"$client","from":"$remote_addr","method":"$method_said",'
    '"route":"$route","status":$status,"received":$request_length,"sent":$bytes_sent,"seconds":$request_time,'
    '"engine":"$upstream_status","first_byte_s":"$upstream_header_time"}'
)
UNREADABLE = "/.unreadable"  # nginx goes to no named location for a request without a URI


def render(plan: GatewayPlan) -> str:
    """nginx.conf.  It includes mark.conf, upstream.conf and upstream_key.conf, which lie beside it."""
    return "\n".join((*_process(plan), "http {", *_http(plan), *_server(plan), *_control(plan), "}", ""))


def _process(plan: GatewayPlan) -> tuple[str, ...]:
    return (
        f'load_module "{plan.perl_module}";',
        "worker_processes 4;",  # a proxy of some hundred streams; each holds a Perl of its own
        "worker_rlimit_nofile 4096;",
        # A reload leaves streams to the old workers until they end, at most so long.
        f"worker_shutdown_timeout {max(LONGEST_STREAM_S, plan.stream_s)}s;",
        f'pid "{plan.pid_file}";',
        f'error_log "{plan.folder}/error.log" crit;',  # below crit it quotes request lines, which may hold keys
        "events { worker_connections 2048; }",
    )


def _http(plan: GatewayPlan) -> tuple[str, ...]:
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return (
        "map_hash_bucket_size 512;",
        "include mark.conf;",
        "perl_require keys.pm;",
        "perl_set $client BeachheadKeys::client;",
        "perl_set $keys_digest BeachheadKeys::digest;",
        "include upstream.conf;",
        *(f'{name}_temp_path "{plan.folder}/tmp/{name}";' for name in temporary),  # noqa: S108 - below our folder
        # What a client wrote never reaches the log: only what is listed here.
        'map $request_method $method_said { default "other"; GET GET; POST POST; }',
        'map $uri $route { default "other"; ' + " ".join(f'"{path}" "{path}";' for path, _ in plan.routes) + " }",
        # What can't be parsed has no URI and no key; its refusal alone is written without one.
        f'map "$client:$uri" $shut_out {{ default 1; ":{UNREADABLE}" 0; "~^[a-z0-9][a-z0-9-]*:" 0; }}',
        f"log_format requests escape=json '{LOG}';",
        "default_type application/octet-stream;",
        "server_tokens off;",
        f"limit_req_zone $client zone=rate:2m rate={plan.requests_per_minute}r/m;",
        "limit_conn_zone $client zone=open:2m;",
    )


def _server(plan: GatewayPlan) -> tuple[str, ...]:
    ssl = " ssl" if plan.tls else ""
    return (
        "server {",
        *(f"listen {listen}{ssl} default_server so_keepalive=on;" for listen in plan.listens),
        "server_name _;",
        *(tls() if plan.tls else ()),
        f'access_log "{plan.folder}/access.log" requests;',
        *reading(plan),
        *passing(plan),
        f"limit_req zone=rate burst={plan.requests_per_minute} nodelay;",
        "limit_req_status 429;",
        f"limit_conn open {plan.concurrent_requests};",
        "limit_conn_status 429;",
        "limit_req_log_level info;",
        "limit_conn_log_level info;",
        "add_header X-Request-Id $request_id always;",
        # Before any location is looked for: no key, no answer.
        "if ($shut_out) { return 401; }",
        "location / { return 404; }",
        *(line for path, methods in plan.routes for line in _route(path, methods)),
        *(line for refusal in ANSWERS for line in _refusal(refusal)),
        "}",
    )


def _route(path: str, methods: tuple[str, ...]) -> tuple[str, ...]:
    """The path is passed on as it stands here, never as the client spelled it; a query is dropped."""
    return (
        f'location = "{path}" {{',
        r'if ($request_uri !~ "^/[A-Za-z0-9/_-]*([?]|$)") { return 404; }',
        f'if ($request_method !~ "^({"|".join(methods)})$") {{ return 404; }}',
        "if ($engine_is_live = 0) { return 503; }",
        'set $args "";',
        f'proxy_pass "http://engine{path}";',
        "}",
    )


def _refusal(refusal: Refusal) -> tuple[str, ...]:
    name = UNREADABLE if refusal.status == 400 else f"@refusal_{refusal.status}"
    extra = (f"add_header {refusal.header} always;", "add_header X-Request-Id $request_id always;")
    return (
        f"error_page {' '.join(map(str, refusal.nginx))} ={refusal.status} {name};",
        f"location {'= ' + name if name == UNREADABLE else name} {{",
        *(("internal;",) if name == UNREADABLE else ()),
        "default_type application/json;",
        *(extra if refusal.header else ()),
        f"return {refusal.status} '{refusal.body}';",
        "}",
    )


def _control(plan: GatewayPlan) -> tuple[str, ...]:
    """Which configuration and which keys this process has really loaded; on the host alone."""
    return (
        "server {",
        f'listen "unix:{plan.control_socket}";',
        "access_log off;",
        "location / { return 404; }",
        r'location = /loaded { default_type text/plain; return 200 "$mark $keys_digest\n"; }',
        "}",
    )
