/**
 * The operations in Redis, each an atomic script.
 *
 * There are two kinds of keys: the *log* of a generation, a hash with its `epoch`, its `seq`, and for each tag
 * (`<cache>:<tag>`) the seq of its last invalidation; and *values*, hashes with the epoch and seq that were read before the
 * value was fetched, its tags (as `marks`), and the value as JSON. A value is valid while it has the epoch of the log and none
 * of its tags has a higher seq. A log that was lost begins with another epoch, and so does one that became too long.
 *
 * Every script first determines which server it runs on, as only that cannot be out of date: the process (`run_id`) and the
 * history of its data (`master_replid`). A restart, which may restore an old snapshot, changes the first; a failover, which may
 * lose confirmed writes, changes both; a server that was demoted and promoted again changes the second. On any server but the
 * generation's, a script only returns which server it is. (The two INFOs take 35 µs; a fetch takes longer.)
 */
const SERVER = `
local function server()
  local id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
  return id .. '.' .. (string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or '')
end
local here = server()
if here ~= ARGV[1] then return {here} end
`

const EPOCH = `
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'seq', '0')
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
`

/**
 * Keys: log, value. Arguments: server, a new epoch if needed, the log's TTL. Returns server, epoch, seq [, value, tags,
 * remaining TTL].
 */
export const FIND = `${SERVER}${EPOCH}
local seq = redis.call('HGET', KEYS[1], 'seq')
local found = redis.call('HMGET', KEYS[2], 'epoch', 'seq', 'marks', 'value')
if found[1] ~= epoch or not (found[2] and found[3] and found[4]) then return {here, epoch, seq} end
for _, last in ipairs(redis.call('HMGET', KEYS[1], unpack(cjson.decode(found[3])))) do
  if last and tonumber(last) > tonumber(found[2]) then return {here, epoch, seq} end
end
return {here, epoch, seq, found[4], found[3], tostring(redis.call('PTTL', KEYS[2]))}
`

/** Keys: log, value. Arguments: server, epoch, seq, the value's TTL, tags, value. Returns the server. */
export const KEEP = `${SERVER}
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[2] then return {here} end
for _, last in ipairs(redis.call('HMGET', KEYS[1], unpack(cjson.decode(ARGV[5])))) do
  if last and tonumber(last) > tonumber(ARGV[3]) then return {here} end
end
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'seq', ARGV[3], 'marks', ARGV[5], 'value', ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {here}
`

/**
 * Keys: log. Arguments: server, a new epoch if needed, the log's TTL, the maximum of fields, tags. Returns server, epoch, seq.
 */
export const FORGET = `${SERVER}${EPOCH}
local seq = tostring(redis.call('HINCRBY', KEYS[1], 'seq', 1))
for index = 5, #ARGV do redis.call('HSET', KEYS[1], 'm' .. ARGV[index], seq) end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'seq', '0')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {here, ARGV[2], '0'}
end
return {here, epoch, seq}
`
