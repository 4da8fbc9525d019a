-- Macros and a kernel tree in, the tags of its files out, without a process for
-- each file.
--
-- kmp_tree redefines the macros of our attr files as parametric ones, which
-- rpmbuild calls in process. kmp_install leaves the tags of all files beside the
-- build; answer() looks them up, and runs the generator for a file that is not
-- there or has changed since.

local kmpkit = {}

local REFUSED = "kmpkit-failed = see-the-error-above\n"

-- The generators of our attr files: the macro rpmbuild asks, and the one that
-- holds the command.
local GENERATORS = {
   { "__ksym_provides_provides", "__kmp_ksym_provides" },
   { "__ksym_requires_requires", "__kmp_ksym_requires" },
   { "__depmod_requires_requires", "__kmp_depmod_requires" },
   { "__depmod_requires_recommends", "__kmp_depmod_recommends" },
   { "__depmod_requires_suggests", "__kmp_depmod_suggests" },
   { "__modalias_supplements_supplements", "__kmp_modalias_supplements_suse", dialect = "suse" },
   { "__modalias_supplements_provides", "__kmp_modalias_provides_redhat", dialect = "redhat" },
}

local function quoted(text)
   return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A spec file may hold these bytes as they are, also in a shell command.
local function check_path(path)
   if not path:match("^[%w._+/-]+$") then
      error("characters other than A-Z a-z 0-9 . _ + - / in the path " .. path, 0)
   end
   return path
end

local function generators()
   local dialect = rpm.expand("%{kmp_dialect}")
   local index = 0
   return function()
      repeat
         index = index + 1
         local generator = GENERATORS[index]
      until not generator or (generator.dialect or dialect) == dialect
      local generator = GENERATORS[index]
      if generator then
         return generator[1], generator[2]
      end
   end
end

-- kmp_tree: defines the macros kmp-split prints for a kernel tree.
function kmpkit.tree(root, release)
   if not root then
      error("usage: %kmp_tree DIRECTORY [KERNELRELEASE]", 0)
   end
   check_path(root)
   local command = rpm.expand("%{_rpmconfigdir}/kmp-split tree ") .. root
   if release then
      command = command .. " --release " .. quoted(release)
   end
   local pipe = io.popen(command)
   for line in pipe:lines() do
      local name, value = line:match("^(kmp_[%w_]+) (.*)$")
      if name then
         rpm.define(name .. " " .. check_path(value))
      end
   end
   if not pipe:close() then
      error("%kmp_tree: no kernel tree in " .. root, 0)
   end
   if rpm.expand("%{?kmp_kabi}") == "" then
      rpm.define("kmp_kabi %{kmp_tree_kabi}")
   end
   -- No entry is younger: none is copied into any package.
   rpm.define("_changelog_trimtime 2147483647")
   for macro, command_macro in generators() do
      rpm.define(macro .. "() %{lua:require('kmpkit').answer(arg[1], '" .. macro .. "', '" .. command_macro .. "')}")
   end
end

-- The part of the install section that runs each generator once over all files,
-- side by side.
function kmpkit.keep_tags()
   local start, wait = {}, {}
   for macro, command in generators() do
      start[#start + 1] = "%{" .. command .. "} --multifile < %{__kmp_state}/files > %{__kmp_state}/" .. macro .. " &"
      start[#start + 1] = macro .. "=$!"
      wait[#wait + 1] = "wait $" .. macro
   end
   local script = {
      "find %{buildroot} -type f > %{__kmp_state}/files",
      table.concat(start, "\n"),
      table.concat(wait, "\n"),
      -- Last, so that it vouches for all of them.
      "xargs -d '\\n' stat --printf '%%s %%Y %%Z %%i %%n\\n' < %{__kmp_state}/files > %{__kmp_state}/stamps",
   }
   print(rpm.expand(table.concat(script, "\n")))
end

local function open(name)
   return io.open(rpm.expand("%{__kmp_state}/") .. name)
end

local stamps

-- Size, mtime, ctime and inode of a file when its tags were kept.
local function stamp_kept(path)
   if not stamps then
      stamps = {}
      local file = open("stamps")
      for line in file and file:lines() or function() end do
         local stamp, of = line:match("^(%d+ %d+ %d+ %d+) (.*)$")
         if stamp then
            stamps[of] = stamp
         end
      end
   end
   return stamps[path]
end

local function stamp_now(path)
   local stat = posix.stat(path)
   return stat and string.format("%d %d %d %d", stat.size, stat.mtime, stat.ctime, stat.ino)
end

local kept = {}

-- The tags of a file from the multifile output of a generator.
local function tags_kept(macro, path)
   if not kept[macro] then
      local of, tags = {}, nil
      local file = open(macro)
      for line in file and file:lines() or function() end do
         local name = line:match("^;(.*)$")
         if name then
            tags = {}
            of[name] = tags
         else
            tags[#tags + 1] = line
         end
      end
      kept[macro] = of
   end
   return kept[macro][path]
end

local function run(command, path)
   local pipe = io.popen("printf '%s\\n' " .. quoted(path) .. " | " .. rpm.expand("%{" .. command .. "}"))
   local output = pipe:read("a")
   -- A generator that fails has printed a line that rpm refuses; one that could
   -- not be started has not.
   if not pipe:close() then
      output = output .. REFUSED
   end
   return output
end

-- The parametric generators: prints the tags of one file.
function kmpkit.answer(path, macro, command)
   local ok, result = pcall(function()
      local stamp = stamp_kept(path)
      if stamp and stamp == stamp_now(path) then
         local tags = tags_kept(macro, path)
         return tags and table.concat(tags, "\n") or ""
      end
      return run(command, path)
   end)
   if not ok then
      io.stderr:write("kmpkit: ", tostring(result), "\n")
      result = REFUSED
   end
   print(result)
end

-- The spec file is open while it is parsed; rpm has no macro that names it.
local function spec_path()
   for _, entry in ipairs(posix.dir("/proc/self/fd") or {}) do
      local target = posix.readlink("/proc/self/fd/" .. entry)
      if target and target:match("%.spec$") then
         return target
      end
   end
   error("%kmp_install: cannot find the spec file in /proc/self/fd", 0)
end

-- The part of the install section that writes the changelog of the spec file
-- into a file of the image package.
function kmpkit.copy_changelog()
   local file = assert(io.open(spec_path()))
   local text = "\n" .. file:read("a")
   file:close()
   local entries = text:match("\n%%changelog[^\n]*\n(.*)$")
   if not entries or not entries:match("%S") then
      return
   end
   -- The entries end where another section begins.
   for _, section in ipairs({ "package", "files", "description", "prep", "build", "install" }) do
      entries = (entries .. "\n"):match("^(.-)\n%%" .. section .. "[%s]") or entries
   end
   local target = rpm.expand("%{buildroot}%{__kmp_changelog}")
   print("mkdir -p " .. target:match("^(.*)/") .. "\n")
   print("cat > " .. target .. " <<'END_OF_CHANGELOG'\n" .. rpm.expand(entries) .. "\nEND_OF_CHANGELOG\n")
end

return kmpkit
