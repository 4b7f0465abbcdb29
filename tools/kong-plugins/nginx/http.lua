-- The part of lua-resty-http 0.17 that the plugins use: request_uri over a cosocket. Like the original, it limits only the time of each
-- read, reads the whole body into memory, does not follow redirects or decompress, and accepts whatever it can parse.
local Http = {}
Http.__index = Http

function Http.new() return setmetatable({ socket = ngx.socket.tcp() }, Http) end

function Http:set_timeout(milliseconds) self.socket:settimeout(milliseconds) end

local function read_headers(socket)
  local headers = {}
  while true do
    local line, err = socket:receive("*l")
    if line == nil then return nil, err end
    local name, value = string.match(line, "^%s*([^:%s]+):%s*(.*)$")
    if name == nil then return headers end
    headers[string.lower(name)] = value
  end
end

local function read_chunks(socket)
  local chunks = {}
  while true do
    local line, err = socket:receive("*l")
    if line == nil then return nil, err end
    local size = tonumber(line, 16)
    if size == nil then return nil, "unable to read chunksize" end
    if size == 0 then
      socket:receive(2)
      return table.concat(chunks)
    end
    local chunk, failure = socket:receive(size)
    if chunk == nil then return nil, failure end
    table.insert(chunks, chunk)
    socket:receive(2)
  end
end

local function read_body(socket, status, headers)
  if status == 204 or status == 304 then return "" end
  if string.find(string.lower(headers["transfer-encoding"] or ""), "chunked", 1, true) then return read_chunks(socket) end
  local length = tonumber(headers["content-length"])
  if length == nil then return socket:receive("*a") end
  if length <= 0 then return "" end
  return socket:receive(length)
end

local function request_text(host, port, path, params)
  local lines = { (params.method or "GET") .. " " .. path .. " HTTP/1.1" }
  for name, value in pairs(params.headers or {}) do table.insert(lines, name .. ": " .. tostring(value)) end
  table.insert(lines, "Host: " .. host .. (port == 80 and "" or ":" .. port))
  if params.body ~= nil then table.insert(lines, "Content-Length: " .. #params.body) end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (params.body or "")
end

function Http:request_uri(uri, params)
  local host, port, path = string.match(uri, "^http://([^:/?]+):?(%d*)(.*)$")
  if host == nil then return nil, "bad uri: " .. uri end
  port = tonumber(port) or 80
  local ok, err = self.socket:connect(host, port)
  if not ok then return nil, err end
  local sent, unsent = self.socket:send(request_text(host, port, path == "" and "/" or path, params))
  if sent == nil then return nil, unsent end
  local status, headers
  repeat
    local line, unread = self.socket:receive("*l")
    if line == nil then return nil, unread end
    status = tonumber(string.sub(line, 10, 12))
    if status == nil then return nil, "no status" end
    headers, err = read_headers(self.socket)
    if headers == nil then return nil, err end
  until status ~= 100
  local body, failure = read_body(self.socket, status, headers)
  if body == nil then return nil, failure end
  if string.lower(headers.connection or "") == "close" then self.socket:close() else self.socket:setkeepalive() end
  return { status = status, headers = headers, body = body }
end

return Http
