"""What nginx is told about TLS, about reading a request, and about passing it on."""

from __future__ import annotations

from tasks.gateway.plan import GatewayPlan

CIPHERS = (  # TLS 1.2's with forward secrecy and AEAD; 1.3 has no others
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


def tls() -> tuple[str, ...]:
    """TLS 1.2 and 1.3; HTTP/2 is left out: clients of this API gain nothing from it."""
    return (
        "ssl_certificate server.pem;",
        "ssl_certificate_key server.key;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        f"ssl_ciphers {CIPHERS};",
        "ssl_prefer_server_ciphers off;",
        "ssl_session_cache shared:tls:2m;",
        "ssl_session_tickets off;",
    )


def reading(plan: GatewayPlan) -> tuple[str, ...]:
    """How a request is read: whole, within limits, and in memory: no prompt touches the disk."""
    return (
        "merge_slashes off;",
        "underscores_in_headers off;",
        "ignore_invalid_headers on;",
        "client_header_timeout 15s;",
        "client_header_buffer_size 2k;",
        "large_client_header_buffers 4 8k;",
        "client_body_timeout 60s;",
        f"client_max_body_size {plan.body_mib}m;",
        f"client_body_buffer_size {plan.body_mib}m;",
        "keepalive_timeout 75s;",
        "send_timeout 60s;",
        "reset_timedout_connection on;",
    )


def passing(plan: GatewayPlan) -> tuple[str, ...]:
    """How a request is passed on: few headers, the engine's own key, answers as they come.

    Requests are read whole first: the engine then sees one Content-Length of ours and waits for no slow sender.
    """
    return (
        "proxy_http_version 1.1;",
        "proxy_pass_request_headers off;",
        "proxy_set_header Host engine;",
        'proxy_set_header Connection "close";',
        "proxy_set_header Content-Type $content_type;",
        "proxy_set_header Accept $http_accept;",
        "proxy_set_header X-Request-Id $request_id;",
        "include upstream_key.conf;",
        "proxy_request_buffering on;",
        "proxy_buffering off;",
        "proxy_buffer_size 16k;",
        "proxy_buffers 8 16k;",
        "proxy_max_temp_file_size 0;",
        "proxy_connect_timeout 5s;",
        "proxy_send_timeout 300s;",
        f"proxy_read_timeout {plan.stream_s}s;",
        "proxy_next_upstream off;",
        "proxy_redirect off;",
        "proxy_hide_header X-Request-Id;",
        "proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;",
    )
