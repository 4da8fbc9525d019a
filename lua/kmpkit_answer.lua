-- Answers rpm's questions for tags in process, from the tag cache that %kmp_split has left beside the
-- build.
--
-- The cache has the tags of all files, each with size, mtime, ctime and inode of the file. If a file is
-- not in it or has changed since, the generators run. The index is read once. It says where in the file
-- of a dependency type the tags of a file stand (kmp-split(1)), so an answer is a look into a table and
-- a read.

local command = require("kmpkit_command")
local neighbours = require("kmpkit_neighbours")
local options = require("kmpkit_options")
local table_of_generators = require("kmpkit_generators")

local answer = {}

-- A line that rpm refuses: it ends in "=" without a version (crates/deptag/src/protocol.rs, refusal).
local function refusal(reason)
   return "kmpkit:_" .. reason:sub(1, 400):gsub("[^%w._+:/()'\"-]", "_") .. " =\n"
end

-- The dependency types, in the order rpm asks.
local TYPES = table_of_generators.types

-- The types of tags that rpm asks for.
local asked = {}

local function ask(kind, wanted)
   if (asked[kind] or false) == wanted then
      return
   end
   asked[kind] = wanted
   if wanted then
      rpm.define("__kmpkit_" .. kind .. "() %{lua:require('kmpkit_answer').print(arg, '" .. kind .. "')}")
   else
      rpm.undefine("__kmpkit_" .. kind)
   end
end

-- Makes rpm ask in process.
function answer.take_over()
   if rpm.expand("%{__kmpkit_parametric}") ~= "" then
      for _, kind in ipairs(TYPES) do
         ask(kind, true)
      end
      rpm.define("__kmpkit_in_process 1")
   end
end

-- Size, mtime, ctime and inode of a file, as the index has them. For a link they are those of the link.
local function stamp(path)
   local stat = posix.stat(path)
   return stat and string.format("%.0f %.0f %.0f %.0f", stat.size, stat.mtime, stat.ctime, stat.ino) or "-"
end

local function debug(...)
   local level = os.getenv("RUST_LOG") or ""
   if level:match("debug") or level:match("trace") then
      io.stderr:write("kmpkit: ", table.concat({ ... }), "\n")
   end
end

-- Where the tags of a file stand: offset and length by type.
local function ranges(text)
   local all = {}
   for kind, offset, length in text:gmatch("(%l+)=(%d+)%+(%d+)") do
      all[kind] = { tonumber(offset), tonumber(length) }
   end
   return all
end

-- The files of the index, each with stamp and ranges. There are none if the cache was made with other
-- options or policies.
local function read_index(directory)
   local files, last = {}, nil
   local index = io.open(directory .. "index")
   if not index then
      debug("no tag cache, for there is no ", directory, "index")
      return files
   end
   for line in index:lines() do
      local what, rest = line:match("^(%l+) (.*)$")
      if what == "file" then
         local of, where, path = rest:match("^(%d+ %d+ %d+ %d+)([%l%d=+ ]*) (/.*)$")
         last = path and { stamp = of, ranges = ranges(where), beside = {} }
         if last then
            files[path] = last
         end
      elseif what == "beside" and last then
         local of, path = rest:match("^(.-) (/.*)$")
         last.beside[path] = of
      elseif what == "input" then
         local of, path = rest:match("^(.-) (/.*)$")
         if of ~= stamp(path) then
            debug("the tag cache is not used, because this has changed: ", path)
            return {}
         end
      elseif what == "options" and rest ~= options.of_tags() then
         debug("the tag cache is not used, because it was made with ", rest, " and not with ", options.of_tags())
         return {}
      end
   end
   index:close()
   return files
end

local cache

-- Whether a file, and the files beside it that its tags depend on, are unchanged.
local function is_fresh(file, path)
   for beside, of in pairs(file.beside) do
      if of ~= stamp(beside) then
         return false
      end
   end
   return file.stamp == stamp(path)
end

-- The entry of the index for a file, if it is still valid.
local function cached(path)
   if not cache then
      local directory = rpm.expand("%{__kmpkit_state}/tags/")
      cache = { directory = directory, files = read_index(directory), type_files = {} }
   end
   local file = cache.files[path]
   if file and file.fresh == nil then
      file.fresh = is_fresh(file, path)
   end
   return file and file.fresh and file
end

local is_tagged_by_path = {}

local function lies_in(path, directories)
   for _, directory in ipairs(directories) do
      if path:sub(1, #directory) == directory then
         return true
      end
   end
end

-- Whether our generators have tags of a file. rpm asks about other files too, because the expression of
-- our file attribute is a short one.
local function is_tagged(path)
   if is_tagged_by_path[path] == nil then
      local below = path:sub(#rpm.expand("%{buildroot}") + 1)
      local matches = "printf '%s\\n' " .. options.quoted(below) .. " | grep -E -q -e "
      local ok, how, code = nil, "exit", 1
      if lies_in(below, table_of_generators.directories) then
         ok, how, code = os.execute(matches .. options.quoted(rpm.expand("%{__kmpkit_tagged_path}")))
      end
      if not ok and not (how == "exit" and code == 1) then
         error(path .. ": cannot run grep -E on its name", 0)
      end
      is_tagged_by_path[path] = ok or false
   end
   return is_tagged_by_path[path]
end

-- A question costs rpm more than the answer, and most files have tags of few types. rpm asks for the
-- types in the order of TYPES, for all files of a package before the next type. So while it asks for the
-- first two we decide which of the others the package needs. That does not work if a spec keeps rpm from
-- asking for both.
local current = { files = {} }

local function are_both_asked()
   local excluded = "%{?__provides_exclude_from}%{?__requires_exclude_from}%{?__global_provides_exclude_from}%{?__global_requires_exclude_from}"
   return rpm.expand(excluded) == ""
end

local function prepare(path, kind)
   if kind ~= "provides" and kind ~= "requires" then
      return
   end
   local begins = kind == "provides" and current.kind ~= "provides"
   current.kind = kind
   if begins and are_both_asked() then
      current.files = {}
      for _, other in ipairs(TYPES) do
         if other ~= "provides" and other ~= "requires" then
            ask(other, false)
         end
      end
   elseif current.files[path] then
      return
   end
   current.files[path] = true
   local file = cached(path)
   for _, other in ipairs(TYPES) do
      if not file or file.ranges[other] then
         ask(other, true)
      end
   end
end

-- The cached tags of a type of a file; nothing if they cannot be read in full.
local function cached_tags(path, kind)
   local file = cached(path)
   local range = file and file.ranges[kind]
   if not range then
      return file and ""
   end
   local text = cache.type_files[kind] or io.open(cache.directory .. kind)
   cache.type_files[kind] = text
   local tags = text and text:seek("set", range[1]) and text:read(range[2])
   return tags and #tags == range[2] and tags
end

local function run(text, path)
   local build_root = "RPM_BUILD_ROOT=" .. options.quoted(rpm.expand("%{buildroot}")) .. " "
   local pipe = io.popen("printf '%s\\n' " .. options.quoted(path) .. " | " .. build_root .. text)
   local output = pipe:read("a")
   -- A generator that fails prints a line that rpm refuses. One that cannot be started does not.
   if not pipe:close() then
      output = output .. refusal("the generator for " .. path .. " failed")
   end
   return output
end

-- The tags of a type, printed by the generators. Those of file attributes in `left` do not run.
local function generated_tags(path, kind, left)
   local output = {}
   for _, generator in ipairs(table_of_generators.generators) do
      local text = left[generator.attr] and "" or command.text(generator.attr, kind)
      if text ~= "" then
         debug(path, ": runs ", text, " for its ", kind)
         output[#output + 1] = run(text, path)
      end
   end
   return table.concat(output)
end

local function tags(path, kind)
   if not cached(path) and not is_tagged(path) then
      return ""
   end
   prepare(path, kind)
   local left = neighbours.left(path, kind)
   return not left and cached_tags(path, kind) or generated_tags(path, kind, left or {})
end

-- What rpm calls: with one file or, in the multifile protocol, with all files of a package. In that
-- protocol each path comes before the tags of its file.
function answer.print(paths, kind)
   local multifile = options.protocol() == "multifile"
   local output = {}
   for _, path in ipairs(paths) do
      local ok, text = pcall(tags, path, kind)
      if not ok then
         io.stderr:write("kmpkit: ", tostring(text), "\n")
         text = refusal(tostring(text))
      end
      if multifile and text ~= "" then
         output[#output + 1] = ";" .. path
      end
      output[#output + 1] = text
   end
   print(table.concat(output, "\n"))
end

return answer
