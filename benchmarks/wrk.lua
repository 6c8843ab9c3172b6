-- wrk's part: sends the requests of a file one after the other, each whole, as it goes over the
-- wire; prints what was measured as JSON. The file holds each request after its length on a line.

local requests, sent = {}, 0
faults = 0 -- global: read by done(), which runs in another state

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local length = file:read("*l")
  while length do
    table.insert(requests, file:read(tonumber(length)))
    file:read("*l")
    length = file:read("*l")
  end
  file:close()
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

-- Every error of GraphQL has a message, and nothing that is asked for is called that.
function response(status, headers, body)
  if status ~= 200 or body:find('"message"', 1, true) then
    faults = faults + 1
  end
end

function done(summary, latency)
  local refused, counts = 0, {}
  for _, thread in ipairs(threads) do
    refused = refused + thread:get("faults")
  end
  for place = 1, #latency do
    local microseconds, count = latency(place)
    table.insert(counts, string.format("[%d,%d]", microseconds, count))
  end
  local errors = summary.errors
  io.write(string.format(
    'JSON{"requests":%d,"microseconds":%d,"faults":%d,"broken":%d,"latencies":[%s]}\n',
    summary.requests, summary.duration, refused,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(counts, ",")))
end
