-- Decides which tags are left to a package that has a generator of its own.
--
-- zz_kmpkit.attr silences the generators in the file attributes of SUSE and Red Hat, because ours
-- replace them. A package may still define one of them, by the name that its distribution documents.
-- That generator runs then, and ours leaves out the files it runs on.

local generators = require("kmpkit_generators").generators
local options = require("kmpkit_options")
local stock_kernels = require("kmpkit_stock_kernels")

local neighbours = {}

-- The generators of distributions: file attribute, type of tags, and the attributes of ours that print
-- the same tags.
local function replaced_generators()
   local list, known = {}, {}
   for _, generator in ipairs(generators) do
      for _, replaced in ipairs(generator.replaces) do
         local key = replaced.attr .. " " .. replaced.type
         if not known[key] then
            known[key] = { attr = replaced.attr, type = replaced.type, ours = {} }
            list[#list + 1] = known[key]
         end
         known[key].ours[generator.attr] = true
      end
   end
   return list
end

local REPLACED = replaced_generators()

-- The path expression of a distribution's file attribute, if the attribute is installed and the
-- package has defined its generator. What zz_kmpkit.attr defines prints the third of three arguments.
-- A generator of the package may run in process, so it gets a file that it can read.
local function path_of_own(replaced)
   local path = rpm.expand("%{?__" .. replaced.attr .. "_path}")
   if path == "" then
      return nil
   end
   local name = "__" .. replaced.attr .. "_" .. replaced.type
   local call = "%{?" .. name .. ":%{" .. name .. " /dev/null /dev/null kmpkit}}"
   local ok, answer = pcall(rpm.expand, call)
   return not (ok and answer == "kmpkit") and path or nil
end

local function left_paths(ours)
   local paths = {}
   for _, replaced in ipairs(REPLACED) do
      local path = replaced.ours[ours] and path_of_own(replaced)
      if path then
         paths[#paths + 1] = "(" .. path .. ")"
      end
   end
   return paths
end

-- Prints the files that a file attribute of ours leaves to the package, or leaves out because they are a
-- stock kernel's, as a regular expression. Prints nothing if there are none.
function neighbours.left_path(ours)
   local paths = left_paths(ours)
   for _, path in ipairs(stock_kernels.paths(ours)) do
      paths[#paths + 1] = path
   end
   print(table.concat(paths, "|"))
end

-- Prints a command, unless our file attribute leaves files to the package.
function neighbours.unless_left(ours, command)
   if #left_paths(ours) == 0 then
      print(rpm.expand(command))
   end
end

-- The file attributes of distributions for which the package has a generator of its own.
function neighbours.with_own()
   local attrs = {}
   for _, replaced in ipairs(REPLACED) do
      if path_of_own(replaced) then
         attrs[#attrs + 1] = replaced.attr
      end
   end
   if table.concat(attrs, " "):match("provided_ksyms") then
      attrs[#attrs + 1] = "kmod"
   end
   return attrs
end

-- The files of the buildroot that match a path expression of rpm.
local function files_matching(path)
   local find = "cd " .. options.quoted(rpm.expand("%{buildroot}")) .. " && find . ! -type d | sed 's/^.//' | grep -E -e "
   local files = {}
   for file in io.popen(find .. options.quoted(path)):lines() do
      files[file] = true
   end
   return files
end

local left_by_type = {}

-- What is left of a type of tags: attributes of ours, with the files they leave. The answer is kept,
-- because the package's macros do not change any more when rpm asks for tags.
local function left_of(kind)
   if not left_by_type[kind] then
      local left = {}
      for _, replaced in ipairs(REPLACED) do
         local path = replaced.type == kind and path_of_own(replaced)
         if path then
            left[#left + 1] = { ours = replaced.ours, files = files_matching(path) }
         end
      end
      left_by_type[kind] = left
   end
   return left_by_type[kind]
end

-- The file attributes of ours that leave a file's tags of a type to the package, as keys; nil if
-- there are none.
function neighbours.left(path, kind)
   local ours
   for _, left in ipairs(left_of(kind)) do
      if left.files[path:sub(#rpm.expand("%{buildroot}") + 1)] then
         ours = ours or {}
         for attr in pairs(left.ours) do
            ours[attr] = true
         end
      end
   end
   return ours
end

-- Prints kmod() of a module whose Provides are left to the package's %__provided_ksyms_provides,
-- which prints symbols alone.
function neighbours.module_name(path)
   local name = path and path:match("([^/]+%.ko)[^/]*$")
   if name and path_of_own({ attr = "provided_ksyms", type = "provides" }) then
      print("kmod(" .. name .. ")" .. rpm.expand("%{?kmp_kabi: = %{kmp_kabi}}"))
   end
end

return neighbours
