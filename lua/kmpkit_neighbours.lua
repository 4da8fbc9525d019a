-- The macros of a distribution's attrs in, what of our attrs leaves to them out.
--
-- zz_kmpkit.attr silences the generators of SUSE's and Red Hat's attrs, because
-- ours do their work. A package may still define one of them, by the name its
-- distribution documents: then that runs, and the attr of ours that does the same
-- stands aside for the files it runs on.

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

-- Whether an attr of ours leaves files to others.
function neighbours.left(ours)
   return #left_paths(ours) > 0
end

-- Prints a command unless it is for an attr that leaves files to others.
function neighbours.unless_left(ours, command)
   if not neighbours.left(ours) then
      print(rpm.expand(command))
   end
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
