-- Implements the macros for kernels of kmpkit-macros(7).

local answer = require("kmpkit_answer")
local changelog = require("kmpkit_changelog")
local neighbours = require("kmpkit_neighbours")
local options = require("kmpkit_options")

local kmpkit = {}

function kmpkit.policy_options()
   print(options.policy())
end

local function define_unless_set(name, value)
   if rpm.expand("%{?" .. name .. "}") == "" then
      rpm.define(name .. " " .. value)
   end
end

-- What %kmp_kernel and %kmp_tree have in common: they name flavor and kABI, keep the changelog out of
-- packages, and answer rpm in process.
local function take_over(flavor, kabi)
   define_unless_set("kmp_flavor", flavor)
   define_unless_set("kmp_kabi", kabi)
   options.check()
   -- No entry is younger than that, so rpm copies none into a package.
   rpm.define("_changelog_trimtime 2147483647")
   changelog.read()
   answer.take_over()
end

-- %kmp_kernel: names the kernel that the spec builds.
function kmpkit.kernel(release, more)
   if not release or more then
      error("usage: %kmp_kernel KERNELRELEASE", 0)
   end
   rpm.define("kmp_kernelrelease " .. release)
   take_over(release:match("([^-]*)$"), (release:gsub("-", "_")))
end

-- %kmp_tree: defines the macros that kmp-split prints for a kernel tree.
function kmpkit.tree(root, release, more)
   if not root or more then
      error("usage: %kmp_tree DIRECTORY [KERNELRELEASE]", 0)
   end
   local command = rpm.expand("%{_rpmconfigdir}/kmp-split tree ") .. options.quoted(root)
   if release then
      command = command .. " --release " .. options.quoted(release)
   end
   local pipe = io.popen(command)
   local lines = pipe:read("a")
   if not pipe:close() then
      error("%kmp_tree " .. root .. " failed: kmp-split has printed the reason above", 0)
   end
   for name, value in lines:gmatch("(kmp_[%w_]+) ([^\n]*)\n") do
      rpm.define(name .. " " .. value)
   end
   -- Only our file attributes have anything to say about its files.
   if rpm.expand("%{?kmp_file_attrs:1}") == "" then
      rpm.define("kmp_file_attrs %{nil}")
   end
   take_over("%{kmp_tree_flavor}", "%{kmp_tree_kabi}")
end

-- %kmp_rebuilds: lets the image package replace earlier builds of its kernelrelease, which the build
-- service counts outside of it. kmp-split does that for the other packages (rebuilds.rs).
function kmpkit.rebuilds()
   local kernel = rpm.expand("%{kmp_kernelrelease}")
   local suffix = rpm.expand("-%{kmp_flavor}")
   local evr = rpm.expand("%{?epoch:%{epoch}:}%{version}-%{release}")
   local same, count = evr:match("^(.*)%.(%d+)$")
   if not same or same:gsub("^%d+:", "") .. suffix ~= kernel then
      return
   end
   count = tonumber(count)
   for earlier = math.max(1, count - 100), count - 1 do
      print(rpm.expand("Obsoletes: %{kmp_image_package} = ") .. same .. "." .. earlier .. "\n")
   end
end

local function has_spec_parts()
   return rpm.expand("%{?specpartsdir}") ~= ""
end

-- %kmp_subpackages: the subpackages of a kernel tree, for an rpm that takes none after the build.
function kmpkit.subpackages()
   if has_spec_parts() then
      return
   end
   options.check()
   local pipe = io.popen(rpm.expand("%{_rpmconfigdir}/kmp-split spec %{kmp_root} %{__kmpkit_split_options}"))
   local text = pipe:read("a")
   if not pipe:close() then
      error("%kmp_subpackages failed: kmp-split has printed the reason above", 0)
   end
   rpm.define("__kmpkit_parse_time 1")
   print(text)
end

-- The command that makes the plan, the file lists, the tag cache and, where rpm takes them after the
-- build, the subpackages.
local function split_command()
   if rpm.expand("%{?kmp_kernelrelease}") == "" then
      error("%kmp_split does not know the kernel: use %kmp_kernel or %kmp_tree in the preamble", 0)
   end
   options.check()
   local command = "%{_rpmconfigdir}/kmp-split lists %{?kmp_root}%{!?kmp_root:%{buildroot}} %{__kmpkit_split_options}"
      .. " --buildroot %{buildroot} --plan %{kmp_plan}%{?kmp_root: --everything}"
      .. " %{__kmpkit_tag_cache}"
   if rpm.expand("%{?__kmpkit_parse_time}") == "" then
      if not has_spec_parts() then
         error("%kmp_split: this rpm takes no subpackages after the build, which needs 4.19: package the built tree with %kmp_tree, %kmp_install and %kmp_subpackages", 0)
      end
      command = command .. " --spec %{specpartsdir}/kmp.specpart"
   end
   return rpm.expand(command)
end

-- Shell commands that make a directory of the file attributes that rpm is to use, if a packager has
-- named them. Only the names of the files count, for rpm has read the macros in them already.
local function file_attrs()
   if rpm.expand("%{?kmp_file_attrs:1}") == "" then
      return ""
   end
   local directory = rpm.expand("%{__kmpkit_state}/fileattrs")
   rpm.define("_fileattrsdir " .. directory)
   local files = {}
   local ours = rpm.expand("%{?__kmpkit_in_process:kmpkit}%{!?__kmpkit_in_process:%{__kmpkit_attrs}}")
   local own = table.concat(neighbours.with_own(), " ")
   for name in rpm.expand(ours .. " %{kmp_file_attrs} " .. own):gmatch("%S+") do
      files[#files + 1] = "> " .. directory .. "/" .. name .. ".attr"
   end
   return "rm -rf " .. directory .. "\nmkdir " .. directory .. "\n" .. table.concat(files, "\n")
end

-- %kmp_split: shell commands. An error here becomes a command that fails, because the script around it
-- has to fail.
function kmpkit.split()
   local ok, script = pcall(function()
      return table.concat({
         "mkdir -p " .. rpm.expand("%{__kmpkit_state}"),
         file_attrs(),
         changelog.write(),
         split_command(),
         changelog.list(),
      }, "\n")
   end)
   if not ok then
      script = "echo " .. options.quoted("kmpkit: " .. tostring(script)) .. " >&2; exit 1"
   end
   print("\n" .. script .. "\n")
end

return kmpkit
