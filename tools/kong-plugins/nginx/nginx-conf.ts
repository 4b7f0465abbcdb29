/** Where Debian and its kin keep nginx and what belongs to it. */
export const MODULES = '/usr/lib/nginx/modules'

export interface NginxConf {
  /** The repository: plugins are Lua modules below its `kong/plugins`. */
  readonly root: string
  readonly port: number
  /** Takes what a test wants of the surroundings. */
  readonly controlPort: number
  /** A `kong.yml` as JSON. */
  readonly routesFile: string
  /** Seconds that a request waits for another's question about the same key. */
  readonly lockTimeout: number
}

/**
 * nginx as Kong 3.9's template (kong/templates/nginx_kong.lua) sets it up, as far as it concerns what an upstream sees. One
 * process, without a master: it ends as soon as it is told, and keeps the user it was started by.
 */
export function nginxConf({ root, port, controlPort, routesFile, lockTimeout }: NginxConf): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
load_module ${MODULES}/ndk_http_module.so;
load_module ${MODULES}/ngx_http_lua_module.so;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 0;
  underscores_in_headers on;
  keepalive_requests 100000;
  lua_package_path '${root}/tools/kong-plugins/nginx/lua/?.lua;${root}/?.lua;;';
  lua_socket_log_errors off;
  lua_shared_dict kong_db_cache 16m;
  lua_shared_dict kong_locks 1m;
  init_by_lua_block { require("stand_in.init")("${routesFile}", ${lockTimeout}) }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    error_page 400 404 405 408 411 412 413 414 417 494 500 501 502 503 504 505 /error_page;
    location / {
      set $upstream '';
      set $upstream_uri '';
      set $upstream_x_forwarded_for '';
      set $upstream_x_forwarded_path '';
      set $upstream_x_forwarded_prefix '';
      rewrite_by_lua_block { require("stand_in.phases").rewrite() }
      access_by_lua_block { require("stand_in.phases").access() }
      proxy_http_version 1.1;
      proxy_set_header Host $upstream;
      proxy_set_header Connection '';
      proxy_set_header TE '';
      proxy_set_header Proxy '';
      proxy_set_header X-Forwarded-For $upstream_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Path $upstream_x_forwarded_path;
      proxy_set_header X-Forwarded-Prefix $upstream_x_forwarded_prefix;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Kong-Request-Id $request_id;
      proxy_buffering off;
      proxy_pass http://$upstream$upstream_uri;
    }
    location = /error_page {
      internal;
      content_by_lua_block { require("stand_in.phases").error_page() }
    }
  }
  server {
    listen 127.0.0.1:${controlPort};
    location / { content_by_lua_block { require("stand_in.faults").control() } }
  }
}
`
}
