-- The path of a file and a dependency type in, its tags out, without a process: kmp_split has left
-- the tags of all files beside the build, each with the size, mtime, ctime and inode the file had.
-- For a file that is not there or has changed since, the generators run.
--
-- The index is read once. It says where in the file of a dependency type the tags of a file stand
-- (kmp-split(1)), so answering is a look into a table and a read.

local neighbours = require("kmpkit_neighbours")
local options = require("kmpkit_options")

local answer = {}

local REFUSED = "kmpkit-failed = see-the-error-above\n"

-- The dependency types, in the order rpm asks, with our attrs that print such tags
-- and the macros that hold the commands of their generators.
local KINDS = {
   { kind = "provides", ksym_provides = "ksym_provides", modalias_supplements = "modalias_provides_%{kmp_dialect}" },
   { kind = "requires", ksym_requires = "ksym_requires", depmod_requires = "depmod_requires" },
   { kind = "recommends", depmod_requires = "depmod_recommends" },
   { kind = "suggests", depmod_requires = "depmod_suggests" },
   { kind = "supplements", modalias_supplements = "modalias_supplements_%{kmp_dialect}" },
   -- A policy alone has these.
   { kind = "enhances" },
   { kind = "conflicts" },
   { kind = "obsoletes" },
   { kind = "orderwithrequires" },
}

local ATTRS = { "ksym_provides", "ksym_requires", "depmod_requires", "modalias_supplements" }

-- Whether rpm is to ask for a type of tags.
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

-- Has rpm ask in process.
function answer.take_over()
   if rpm.expand("%{__kmpkit_parametric}") ~= "" then
      for _, entry in ipairs(KINDS) do
         ask(entry.kind, true)
      end
      rpm.define("__kmpkit_in_process 1")
   end
end

-- Size, mtime, ctime and inode of a file, as the index has them; of a link its own.
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
local function places(text)
   local all = {}
   for kind, offset, length in text:gmatch("(%l+)=(%d+)%+(%d+)") do
      all[kind] = { tonumber(offset), tonumber(length) }
   end
   return all
end

-- The files of the index with their stamps and places; none if it was made with other options or
-- from other policies.
local function read_index(directory)
   local files, last = {}, nil
   local index = io.open(directory .. "index")
   if not index then
      debug(directory, "index: not there")
      return files
   end
   for line in index:lines() do
      local what, rest = line:match("^(%l+) (.*)$")
      if what == "file" then
         local of, where, path = rest:match("^(%d+ %d+ %d+ %d+)([%l%d=+ ]*) (/.*)$")
         last = path and { stamp = of, places = places(where), beside = {} }
         if last then
            files[path] = last
         end
      elseif what == "beside" and last then
         local of, path = rest:match("^(.-) (/.*)$")
         last.beside[path] = of
      elseif what == "input" then
         local of, path = rest:match("^(.-) (/.*)$")
         if of ~= stamp(path) then
            debug(path, ": has changed since the tags were kept")
            return {}
         end
      elseif what == "options" and rest ~= options.of_tags() then
         debug("tags were kept with ", rest, ", wanted are ", options.of_tags())
         return {}
      end
   end
   index:close()
   return files
end

local kept

-- Whether a file, and what its tags depend on beside it, are what they were.
local function is_fresh(file, path)
   for beside, of in pairs(file.beside) do
      if of ~= stamp(beside) then
         return false
      end
   end
   return file.stamp == stamp(path)
end

-- What is known of a file, if it is still what it was.
local function known(path)
   if not kept then
      local directory = rpm.expand("%{__kmpkit_state}/tags/")
      kept = { directory = directory, files = read_index(directory), texts = {} }
   end
   local file = kept.files[path]
   if file and file.fresh == nil then
      file.fresh = is_fresh(file, path)
   end
   return file and file.fresh and file
end

local ours = {}

-- Whether our generators have anything to say of a file. rpm asks about others too,
-- because it makes the expression of an attr ready again for each package.
local function is_ours(path)
   if ours[path] == nil then
      local below = path:sub(#rpm.expand("%{buildroot}") + 1)
      local may_be = below:match("^/boot/") or below:match("^/lib/modules/") or below:match("^/usr/lib/modules/")
      local matches = "printf '%s\\n' " .. options.quoted(below) .. " | grep -E -q -e "
      local ok, how, code = nil, "exit", 1
      if may_be then
         ok, how, code = os.execute(matches .. options.quoted(rpm.expand("%{__kmpkit_provider_path}")))
      end
      if not ok and not (how == "exit" and code == 1) then
         error(path .. ": grep failed", 0)
      end
      ours[path] = ok or false
   end
   return ours[path]
end

-- Asking costs rpm more than the answer, and few files have tags of most types. It asks
-- for the types in the order of KINDS, for all files of a package before the next type;
-- so the first two tell which of the others the package needs, unless a spec has rpm ask
-- for neither.
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
      for _, entry in ipairs(KINDS) do
         if entry.kind ~= "provides" and entry.kind ~= "requires" then
            ask(entry.kind, false)
         end
      end
   elseif current.files[path] then
      return
   end
   current.files[path] = true
   local file = known(path)
   for _, entry in ipairs(KINDS) do
      if not file or file.places[entry.kind] then
         ask(entry.kind, true)
      end
   end
end

-- The tags of a type that were kept for a file, if they are all there.
local function tags_kept(path, kind)
   local file = known(path)
   local place = file and file.places[kind]
   if not place then
      return file and ""
   end
   local text = kept.texts[kind] or io.open(kept.directory .. kind)
   kept.texts[kind] = text
   local tags = text and text:seek("set", place[1]) and text:read(place[2])
   return tags and #tags == place[2] and tags
end

local function run(command, path)
   local build_root = "RPM_BUILD_ROOT=" .. options.quoted(rpm.expand("%{buildroot}")) .. " "
   local pipe = io.popen("printf '%s\\n' " .. options.quoted(path) .. " | " .. build_root .. command)
   local output = pipe:read("a")
   -- A generator that fails has printed a line that rpm refuses; one that could
   -- not be started has not.
   if not pipe:close() then
      output = output .. REFUSED
   end
   return output
end

-- The tags of a type, by the generators that print such, but for those of attrs that
-- leave the file to others.
local function tags_told(path, kind, left)
   local output = {}
   local function tell(command)
      if command ~= "" then
         debug(path, ": runs ", command, " for its ", kind)
         output[#output + 1] = run(command, path)
      end
   end
   for _, entry in ipairs(KINDS) do
      for _, attr in ipairs(ATTRS) do
         if entry.kind == kind and entry[attr] and not left[attr] then
            tell(rpm.expand("%{expand:%%{?__kmpkit_" .. entry[attr] .. "}}"))
         end
      end
   end
   tell(options.policy_tags(kind))
   return table.concat(output)
end

local function tags(path, kind)
   if not known(path) and not is_ours(path) then
      return ""
   end
   prepare(path, kind)
   local left = neighbours.left(path, kind)
   return not left and tags_kept(path, kind) or tags_told(path, kind, left or {})
end

-- What rpm runs: for one file or, since it knows multifile, for all of a package, whose
-- tags follow their paths.
function answer.print(paths, kind)
   local multifile = options.protocol() == "multifile"
   local output = {}
   for _, path in ipairs(paths) do
      local ok, text = pcall(tags, path, kind)
      if not ok then
         io.stderr:write("kmpkit: ", tostring(text), "\n")
         text = REFUSED
      end
      if multifile and text ~= "" then
         output[#output + 1] = ";" .. path
      end
      output[#output + 1] = text
   end
   print(table.concat(output, "\n"))
end

return answer
