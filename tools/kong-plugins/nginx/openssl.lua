-- resty.openssl.digest and resty.openssl.hmac, on the libcrypto that nginx runs on. As in lua-resty-openssl, failures are nil and a text.
local ffi = require "ffi"
local faults = require "faults"

ffi.cdef([[
unsigned char *SHA256(const unsigned char *text, size_t length, unsigned char *digest);
const void *EVP_sha256(void);
unsigned char *HMAC(const void *digest, const void *key, int key_length, const unsigned char *text, size_t length,
  unsigned char *out, unsigned int *out_length);
]])

local function refused(name, algorithm)
  if faults.on[name] then return name .. ".new: the provider refused" end
  if algorithm ~= "sha256" then return "the stand-in supports sha256 only" end
end

local Digest = {}

function Digest.new(algorithm)
  local failure = refused("digest", algorithm)
  if failure then return nil, failure end
  return {
    final = function(_, text)
      local bytes = ffi.new("unsigned char[32]")
      ffi.C.SHA256(text, #text, bytes)
      return ffi.string(bytes, 32)
    end,
  }
end

local Hmac = {}

function Hmac.new(key, algorithm)
  local failure = refused("hmac", algorithm)
  if failure then return nil, failure end
  return {
    final = function(_, text)
      local bytes, length = ffi.new("unsigned char[32]"), ffi.new("unsigned int[1]")
      ffi.C.HMAC(ffi.C.EVP_sha256(), key, #key, text, #text, bytes, length)
      return ffi.string(bytes, length[0])
    end,
  }
end

return { Digest = Digest, Hmac = Hmac }
