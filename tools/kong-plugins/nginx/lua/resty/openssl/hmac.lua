-- Of the libcrypto that nginx runs on. As lua-resty-openssl: failures are nil and a text.
local ffi = require "ffi"
local faults = require "stand_in.faults"

ffi.cdef([[
const void *EVP_sha256(void);
unsigned char *HMAC(const void *digest, const void *key, int key_length, const unsigned char *text, size_t length,
  unsigned char *out, unsigned int *out_length);
]])

local Hmac = {}
Hmac.__index = Hmac

function Hmac.new(key, algorithm)
  if faults.raised("hmac") then return nil, "hmac.new: the provider refused" end
  if algorithm ~= "sha256" then return nil, "the stand-in knows sha256 only" end
  return setmetatable({ key = key, parts = {} }, Hmac)
end

function Hmac:update(text)
  table.insert(self.parts, text)
  return true
end

function Hmac:final(text)
  if text ~= nil then self:update(text) end
  local all = table.concat(self.parts)
  local bytes, length = ffi.new("unsigned char[32]"), ffi.new("unsigned int[1]")
  ffi.C.HMAC(ffi.C.EVP_sha256(), self.key, #self.key, all, #all, bytes, length)
  return ffi.string(bytes, length[0])
end

return Hmac
