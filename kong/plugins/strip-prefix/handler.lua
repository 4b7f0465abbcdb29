-- As packages/gateway/src/plugins/strip-prefix: takes a prefix off the path that the service sees.
local StripPrefix = { PRIORITY = 800, VERSION = "0.1.0" }

function StripPrefix:access(conf)
  local prefix = conf.prefix
  -- Escaped already, and without the query.
  local path = ngx.var.upstream_uri
  if string.sub(path, 1, #prefix + 1) ~= prefix .. "/" then
    -- The route is not the plugin's: nothing is forwarded.
    return kong.response.exit(500, { message = "An unexpected error occurred" })
  end
  ngx.var.upstream_uri = string.sub(path, #prefix + 1)
  ngx.var.upstream_x_forwarded_prefix = prefix
end

return StripPrefix
