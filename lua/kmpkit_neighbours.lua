-- The macros of a distribution's attrs in, what of our attrs leaves to them out.
--
-- zz_kmpkit.attr silences the generators of SUSE's and Red Hat's attrs, because
-- ours do their work. A package may still define one of them, by the name its
-- distribution documents: then that runs, and the attr of ours that does the same
-- stands aside for the files it runs on.

local options = require("kmpkit_options")

local neighbours = {}

-- Their attrs, the type of tags, and the attrs of ours that print these.
local SLOTS = {
   { attr = "kmp", kind = "provides", ours = { ksym_provides = true } },
   { attr = "kmp", kind = "requires", ours = { ksym_requires = true, depmod_requires = true } },
   { attr = "kmp", kind = "supplements", ours = { modalias_supplements = true } },
   { attr = "kernel", kind = "provides", ours = { ksym_provides = true } },
   { attr = "kernel", kind = "requires", ours = { ksym_requires = true, depmod_requires = true } },
   { attr = "kernel", kind = "supplements", ours = { modalias_supplements = true } },
   { attr = "provided_ksyms", kind = "provides", ours = { ksym_provides = true } },
   { attr = "required_ksyms", kind = "requires", ours = { ksym_requires = true, depmod_requires = true } },
   { attr = "modalias", kind = "provides", ours = { modalias_supplements = true } },
   { attr = "kabi", kind = "provides", ours = { ksym_provides = true } },
}

-- The path of an attr that is installed and whose generator a package has defined.
-- What zz_kmpkit.attr defines prints the third of three arguments. A generator of
-- a package's may be one that runs in process: it gets a file it can read.
local function path_of_own(slot)
   local path = rpm.expand("%{?__" .. slot.attr .. "_path}")
   if path == "" then
      return nil
   end
   local call = "%{?__" .. slot.attr .. "_" .. slot.kind .. ":%{__" .. slot.attr .. "_" .. slot.kind .. " /dev/null /dev/null kmpkit}}"
   local ok, answer = pcall(rpm.expand, call)
   return not (ok and answer == "kmpkit") and path or nil
end

local function left_paths(ours)
   local paths = {}
   for _, slot in ipairs(SLOTS) do
      local path = slot.ours[ours] and path_of_own(slot)
      if path then
         paths[#paths + 1] = "(" .. path .. ")"
      end
   end
   return paths
end

-- Prints the files that an attr of ours leaves to others, as a regular expression;
-- nothing if there are none.
function neighbours.left_path(ours)
   print(table.concat(left_paths(ours), "|"))
end

-- Prints a command unless it is for an attr that leaves files to others.
function neighbours.unless_left(ours, command)
   if #left_paths(ours) == 0 then
      print(rpm.expand(command))
   end
end

-- The attrs that a package has given a generator of its own.
function neighbours.with_own()
   local attrs = {}
   for _, slot in ipairs(SLOTS) do
      if path_of_own(slot) then
         attrs[#attrs + 1] = slot.attr
      end
   end
   if table.concat(attrs, " "):match("provided_ksyms") then
      attrs[#attrs + 1] = "kmod"
   end
   return attrs
end

-- The files of the buildroot that a regular expression of rpm's matches.
local function files_matching(path)
   local find = "cd " .. options.quoted(rpm.expand("%{buildroot}")) .. " && find . ! -type d | sed 's/^.//' | grep -E -e "
   local files = {}
   for file in io.popen(find .. options.quoted(path)):lines() do
      files[file] = true
   end
   return files
end

local left_by_kind = {}

-- What is left of a type of tags: for each slot the attrs of ours and the files. A
-- package's macros do not change any more when rpm asks for tags.
local function left_of(kind)
   if not left_by_kind[kind] then
      local left = {}
      for _, slot in ipairs(SLOTS) do
         local path = slot.kind == kind and path_of_own(slot)
         if path then
            left[#left + 1] = { ours = slot.ours, files = files_matching(path) }
         end
      end
      left_by_kind[kind] = left
   end
   return left_by_kind[kind]
end

-- The attrs of ours that leave their tags of a type to others for a file, if any.
function neighbours.left(path, kind)
   local ours
   for _, slot in ipairs(left_of(kind)) do
      if slot.files[path:sub(#rpm.expand("%{buildroot}") + 1)] then
         ours = ours or {}
         for attr in pairs(slot.ours) do
            ours[attr] = true
         end
      end
   end
   return ours
end

-- Prints kmod() of a module whose Provides are left to a package's
-- %__provided_ksyms_provides, which knows of symbols alone.
function neighbours.module_name(path)
   local name = path and path:match("([^/]+%.ko)[^/]*$")
   if name and path_of_own({ attr = "provided_ksyms", kind = "provides" }) then
      print("kmod(" .. name .. ")" .. rpm.expand("%{?kmp_kabi: = %{kmp_kabi}}"))
   end
end

return neighbours
