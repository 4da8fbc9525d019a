-- Macros and a kernel in, its subpackages and the tags of their files out, without
-- a process for each file.
--
-- kmp_kernel and kmp_tree redefine the macros of our attr files as parametric
-- ones, which rpmbuild calls in process. kmp_split leaves the tags of all files
-- beside the build; answer() looks them up, and runs the generator for a file
-- that is not there or has changed since.

local kmpkit = {}
local neighbours = require("kmpkit_neighbours")

local REFUSED = "kmpkit-failed = see-the-error-above\n"

-- The generators of our attr files: the macro rpmbuild asks, and the one that
-- holds the command.
local GENERATORS = {
   { asked = "__ksym_provides_provides", command = "__kmpkit_ksym_provides" },
   { asked = "__ksym_requires_requires", command = "__kmpkit_ksym_requires" },
   { asked = "__depmod_requires_requires", command = "__kmpkit_depmod_requires" },
   { asked = "__depmod_requires_recommends", command = "__kmpkit_depmod_recommends" },
   { asked = "__depmod_requires_suggests", command = "__kmpkit_depmod_suggests" },
   { asked = "__modalias_supplements_supplements", command = "__kmpkit_modalias_supplements_suse", dialect = "suse" },
   { asked = "__modalias_supplements_provides", command = "__kmpkit_modalias_provides_redhat", dialect = "redhat" },
}

-- The types of tags a policy can add.
local TYPES = { "provides", "requires", "recommends", "suggests", "supplements", "enhances", "conflicts", "obsoletes", "orderwithrequires" }

for _, kind in ipairs(TYPES) do
   GENERATORS[#GENERATORS + 1] = { asked = "__policy_tags_" .. kind, command = "__kmpkit_policy_tags_" .. kind }
end

local function quoted(text)
   return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What the options may be. They reach a shell as they are.
local OPTIONS = {
   { name = "kmp_dialect", pattern = "^[a-z]+$", allowed = "suse or redhat" },
   { name = "kmp_flavor", pattern = "^[%w._+][%w._+~]*$", allowed = "of A-Z a-z 0-9 . _ + ~" },
   { name = "kmp_kabi", pattern = "^[%w._+][%w._+~^]*$", allowed = "of A-Z a-z 0-9 . _ + ~ ^ (no dash)" },
   { name = "kmp_symvers", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_policy", pattern = "^%s*/[%w._+~/ -]*$", each = "^/", allowed = "absolute paths of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_system_policy", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_previous", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_plan", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_kernelrelease", pattern = "^[%w._+][%w._+~-]*$", allowed = "of A-Z a-z 0-9 . _ + ~ -" },
   { name = "kmp_image_package", pattern = "^[%w_][%w._+~-]*$", allowed = "of A-Z a-z 0-9 . _ + ~ -" },
}

local function check_options()
   for _, option in ipairs(OPTIONS) do
      local value = rpm.expand("%{?" .. option.name .. "}")
      -- rpm 4.20 has no build directory before it knows Name.
      value = value:gsub("^%%{_builddir}", "")
      local fits = value:match(option.pattern)
      for word in value:gmatch("%S+") do
         fits = fits and word:match(option.each or "")
      end
      -- Before Name: there is none.
      if value ~= "" and value ~= "%{name}" and not fits then
         error("%" .. option.name .. " \"" .. value .. "\" is not " .. option.allowed, 0)
      end
   end
end

-- The policy files that may override tags; the default policy overrides none.
local function policy_files()
   local files = {}
   local system = rpm.expand("%{kmp_system_policy}")
   for _, name in ipairs(posix.dir(system) or {}) do
      if name:match("^[^.].*%.toml$") then
         files[#files + 1] = system .. "/" .. name
      end
   end
   for file in rpm.expand("%{?kmp_policy}"):gmatch("%S+") do
      files[#files + 1] = file
   end
   return files
end

-- The options that name the policy.
function kmpkit.policy_options()
   local options = { "--system-policy", rpm.expand("%{kmp_system_policy}") }
   for file in rpm.expand("%{?kmp_policy}"):gmatch("%S+") do
      options[#options + 1] = "--policy " .. file
   end
   print(table.concat(options, " "))
end

-- The command for a type of tags that a policy adds; nothing without a policy.
function kmpkit.policy_tags(kind)
   if #policy_files() > 0 then
      print(rpm.expand("%{_rpmconfigdir}/policy-tags %{__kmpkit_options} %{__kmpkit_policy} --type ") .. kind)
   end
end

local prepared = {}

-- The generators of the dialect with their commands, as a list and by what rpmbuild asks. It asks
-- for each file and type, so they are made once for the same options.
local function generators()
   local options = rpm.expand("%{kmp_dialect} %{__kmpkit_options} %{__kmpkit_policy}")
   if prepared.options ~= options then
      check_options()
      local dialect = rpm.expand("%{kmp_dialect}")
      prepared = { options = options, list = {}, by_asked = {} }
      for _, generator in ipairs(GENERATORS) do
         local command = rpm.expand("%{" .. generator.command .. "}")
         if (generator.dialect or dialect) == dialect and command ~= "" then
            local entry = { asked = generator.asked, command = command }
            prepared.list[#prepared.list + 1] = entry
            prepared.by_asked[entry.asked] = entry
         end
      end
   end
   return prepared
end

local function define_unless_set(name, value)
   if rpm.expand("%{?" .. name .. "}") == "" then
      rpm.define(name .. " " .. value)
   end
end

local changelog = {}

-- What holds for a kernel whichever way it comes: its names, no changelog in every
-- package, generators in process.
local function take_over(flavor, kabi)
   define_unless_set("kmp_flavor", flavor)
   define_unless_set("kmp_kabi", kabi)
   check_options()
   -- No entry is younger: none is copied into any package.
   rpm.define("_changelog_trimtime 2147483647")
   changelog = kmpkit.changelog_lines()
   for _, generator in ipairs(GENERATORS) do
      rpm.define(generator.asked .. "() %{lua:require('kmpkit').answer(arg[1], '" .. generator.asked .. "')}")
   end
end

-- kmp_kernel: names the kernel that the spec builds.
function kmpkit.kernel(release, more)
   if not release or more then
      error("usage: %kmp_kernel KERNELRELEASE", 0)
   end
   rpm.define("kmp_kernelrelease " .. release)
   take_over(release:match("([^-]*)$"), (release:gsub("-", "_")))
end

-- kmp_tree: defines the macros kmp-split prints for a kernel tree.
function kmpkit.tree(root, release, more)
   if not root or more then
      error("usage: %kmp_tree DIRECTORY [KERNELRELEASE]", 0)
   end
   local command = rpm.expand("%{_rpmconfigdir}/kmp-split tree ") .. quoted(root)
   if release then
      command = command .. " --release " .. quoted(release)
   end
   local pipe = io.popen(command)
   local lines = pipe:read("a")
   if not pipe:close() then
      error("%kmp_tree " .. root .. " failed: see above", 0)
   end
   for name, value in lines:gmatch("(kmp_[%w_]+) ([^\n]*)\n") do
      rpm.define(name .. " " .. value)
   end
   take_over("%{kmp_tree_flavor}", "%{kmp_tree_kabi}")
end

local function has_spec_parts()
   return rpm.expand("%{?specpartsdir}") ~= ""
end

-- kmp_subpackages: the subpackages of a kernel tree, for an rpm that takes none
-- after the build.
function kmpkit.subpackages()
   if has_spec_parts() then
      return
   end
   check_options()
   local pipe = io.popen(rpm.expand("%{_rpmconfigdir}/kmp-split spec %{kmp_root} %{__kmpkit_split_options}"))
   local text = pipe:read("a")
   if not pipe:close() then
      error("%kmp_subpackages failed: see above", 0)
   end
   rpm.define("__kmpkit_parse_time 1")
   print(text)
end

-- Size, mtime, ctime and inode of a file.
local function stamp_now(path)
   local stat = posix.stat(path)
   return stat and string.format("%d %d %d %d", stat.size, stat.mtime, stat.ctime, stat.ino)
end

-- What the kept tags depend on besides the files they are of: the commands, and the files these
-- name.
local function commands()
   local all = {}
   for _, generator in ipairs(generators().list) do
      all[#all + 1] = generator.command
   end
   local read = policy_files()
   read[#read + 1] = rpm.expand("%{?kmp_symvers}")
   for _, file in ipairs(read) do
      all[#all + 1] = file .. " " .. (stamp_now(file) or "")
   end
   return table.concat(all, "; ")
end

-- The part that runs each generator once over the files that rpmbuild would show
-- it, side by side. A file that changes meanwhile or later does not match its
-- stamp: that is taken before, and in a second of its own, since Lua sees times in
-- whole seconds.
local function keep_tags()
   local script = {
      "grep -E '%{__kmpkit_provider_path}' %{__kmpkit_state}/all.files | sed 's|^|%{buildroot}|' > %{__kmpkit_state}/files",
      "echo " .. quoted(commands()) .. " > %{__kmpkit_state}/stamps.new",
      "sleep 1",
      "xargs -d '\\n' stat --printf '%%s %%Y %%Z %%i %%n\\n' < %{__kmpkit_state}/files >> %{__kmpkit_state}/stamps.new",
   }
   local wait = {}
   for _, generator in ipairs(generators().list) do
      local name = generator.asked
      script[#script + 1] = generator.command .. " --multifile < %{__kmpkit_state}/files > %{__kmpkit_state}/" .. name .. " &"
      script[#script + 1] = name .. "=$!"
      wait[#wait + 1] = "wait $" .. name
   end
   script[#script + 1] = table.concat(wait, "\n")
   script[#script + 1] = "mv %{__kmpkit_state}/stamps.new %{__kmpkit_state}/stamps"
   return rpm.expand(table.concat(script, "\n"))
end

-- The command that plans and writes the lists, with the subpackages where rpm takes
-- them now.
local function split_command()
   if rpm.expand("%{?kmp_kernelrelease}") == "" then
      error("%kmp_split: no kernel: use %kmp_kernel, or %kmp_tree, in the preamble", 0)
   end
   check_options()
   local command = "%{_rpmconfigdir}/kmp-split lists %{?kmp_root}%{!?kmp_root:%{buildroot}} %{__kmpkit_split_options}"
      .. " --buildroot %{buildroot} --plan %{kmp_plan}%{?kmp_root: --everything}"
   if rpm.expand("%{?__kmpkit_parse_time}") == "" then
      if not has_spec_parts() then
         error("%kmp_split: this rpm takes no subpackages after the build (4.19 does): package the built tree with %kmp_tree, %kmp_install and %kmp_subpackages", 0)
      end
      command = command .. " --spec %{specpartsdir}/kmp.specpart"
   end
   return rpm.expand(command)
end

-- kmp_split: a failure of this part must be one of the script that it is in.
function kmpkit.split()
   local ok, script = pcall(function()
      return table.concat({
         "mkdir -p " .. rpm.expand("%{__kmpkit_state}"),
         kmpkit.write_changelog(),
         split_command(),
         kmpkit.list_changelog(),
         -- What lies there is for a debuginfo package.
         rpm.expand("sed -i '\\,^[^/]*/usr/lib/debug\\(/\\|$\\),d' %{kmp_image_list}"),
         keep_tags(),
      }, "\n")
   end)
   if not ok then
      script = "echo " .. quoted("kmpkit: " .. tostring(script)) .. " >&2; exit 1"
   end
   print("\n" .. script .. "\n")
end

-- The lines of a file of the state; none if it is not there.
local function lines(name)
   local file = io.open(rpm.expand("%{__kmpkit_state}/") .. name)
   return file and file:lines() or function() end
end

local stamps

-- Size, mtime, ctime and inode of a file when its tags were kept, if that was
-- with the same options.
local function stamp_kept(path)
   if not stamps then
      stamps = {}
      local next_line = lines("stamps")
      if next_line() == commands() then
         for line in next_line do
            local stamp, of = line:match("^(%d+ %d+ %d+ %d+) (.*)$")
            if stamp then
               stamps[of] = stamp
            end
         end
      end
   end
   return stamps[path]
end

local kept = {}

-- The tags of a file from the multifile output of a generator.
local function tags_kept(name, path)
   if not kept[name] then
      local of, tags = {}, nil
      for line in lines(name) do
         local file = line:match("^;(.*)$")
         if file then
            tags = {}
            of[file] = tags
         elseif tags then
            tags[#tags + 1] = line
         end
      end
      kept[name] = of
   end
   return kept[name][path]
end

local function run(command, path)
   local build_root = "RPM_BUILD_ROOT=" .. quoted(rpm.expand("%{buildroot}")) .. " "
   local pipe = io.popen("printf '%s\\n' " .. quoted(path) .. " | " .. build_root .. command)
   local output = pipe:read("a")
   -- A generator that fails has printed a line that rpm refuses; one that could
   -- not be started has not.
   if not pipe:close() then
      output = output .. REFUSED
   end
   return output
end

local function tags(path, name)
   local generator = generators().by_asked[name]
   if not generator then
      -- A type of the other dialect, or one that a policy would have to add.
      return ""
   end
   if name == "__depmod_requires_requires" and neighbours.left("depmod_requires") then
      -- A package has a generator of its own for its Requires.
      return ""
   end
   local stamp = stamp_kept(path)
   local known = stamp and stamp == stamp_now(path) and tags_kept(name, path)
   return known and table.concat(known, "\n") or run(generator.command, path)
end

-- The parametric generators: prints the tags of one file.
function kmpkit.answer(path, name)
   local ok, result = pcall(tags, path, name)
   if not ok then
      io.stderr:write("kmpkit: ", tostring(result), "\n")
      result = REFUSED
   end
   print(result)
end

-- The spec file is open while it is parsed; rpm has no macro that names it.
local function spec_path()
   for _, descriptor in ipairs(posix.dir("/proc/self/fd") or {}) do
      local target = posix.readlink("/proc/self/fd/" .. descriptor)
      if target and target:match("%.spec$") and (tonumber(descriptor) or 0) > 2 then
         return target
      end
   end
   error("cannot find the spec file in /proc/self/fd", 0)
end

local function set(words)
   local members = {}
   for word in words:gmatch("[%l_]+") do
      members[word] = true
   end
   return members
end

local SECTIONS = set("package description files prep conf build install check clean generate_buildrequires sourcelist patchlist "
   .. "pre post preun postun pretrans posttrans preuntrans postuntrans verify verifyscript "
   .. "trigger triggerin triggerun triggerpostun triggerprein filetriggerin filetriggerun filetriggerpostun "
   .. "transfiletriggerin transfiletriggerun transfiletriggerpostun")
local CONDITIONALS = set("if ifarch ifnarch ifos ifnos elif elifarch elifos else endif")

-- The lines below %changelog in a spec file, with what it includes, up to where
-- another section begins.
function kmpkit.changelog_lines()
   local entries, inside = {}, false
   local function read(path)
      for line in io.lines(path) do
         local word = line:match("^%%([%l_]+)")
         if word == "changelog" or SECTIONS[word] then
            inside = word == "changelog"
         elseif inside and word == "include" then
            read(rpm.expand(line:match("^%%include%s+(.-)%s*$")))
         elseif inside and not CONDITIONALS[word] then
            entries[#entries + 1] = line
         end
      end
   end
   read(spec_path())
   return entries
end

local function has_changelog()
   return table.concat(changelog):match("%w")
end

-- The part that writes the changelog of the spec file into a file of the image
-- package, since no other package has it. Each line begins with a bar on its way
-- through rpm, which would take some for directives.
function kmpkit.write_changelog()
   if not has_changelog() then
      return ""
   end
   local lines = {}
   for _, line in ipairs(changelog) do
      lines[#lines + 1] = "|" .. rpm.expand(line)
   end
   local target = rpm.expand("%{buildroot}%{__kmpkit_changelog}")
   return "mkdir -p " .. target:match("^(.*)/") .. "\nsed 's/^|//' > " .. target .. " <<'END_OF_CHANGELOG'\n"
      .. table.concat(lines, "\n") .. "\nEND_OF_CHANGELOG\n"
end

-- The part that adds it to the image package's list, unless that has all files.
function kmpkit.list_changelog()
   if not has_changelog() then
      return ""
   end
   local lines = "echo '%%dir %{_docdir}/%{kmp_image_package}'"
   if rpm.expand("%{?kmp_root}") == "" then
      lines = lines .. "; echo '%{__kmpkit_changelog}'"
   end
   return rpm.expand("{ " .. lines .. "; } >> %{kmp_image_list}")
end

return kmpkit
