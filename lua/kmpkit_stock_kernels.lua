-- Decides which modules belong to a kernel whose package knows nothing of kmpkit.
--
-- The generators of distributions print what such modules provide, and leave out what they need and
-- drive: a kernel is one package, or a few that require each other by name. So do ours, unless
-- %kmp_kernel or %kmp_tree is in the spec.

local generators = require("kmpkit_generators").generators

local stock_kernels = {}

-- What lies beside the modules of a kernel, and never beside those of a driver.
local OF_A_KERNEL = { "modules.builtin", "modules.order", "vmlinuz", "System.map", "config" }

local function names_in(directory)
   local names = {}
   for _, name in ipairs(posix.dir(rpm.expand("%{buildroot}") .. directory) or {}) do
      if name ~= "." and name ~= ".." then
         names[#names + 1] = name
      end
   end
   return names
end

local function exists(path)
   return posix.stat(rpm.expand("%{buildroot}") .. path) ~= nil
end

-- Whether the package has the kernel of a directory of modules: a file of its own there, or an image
-- in /boot.
local function has_kernel(directory, release)
   for _, name in ipairs(OF_A_KERNEL) do
      if exists(directory .. "/" .. name) then
         return true
      end
   end
   for _, name in ipairs(names_in("/boot")) do
      if name:sub(-#release - 1) == "-" .. release then
         return true
      end
   end
   return false
end

-- The directories of the modules of kernels in the package, as regular expressions. What is in updates or
-- extra is a driver's.
local function paths()
   local list = {}
   for _, parent in ipairs({ "/lib/modules", "/usr/lib/modules" }) do
      for _, release in ipairs(names_in(parent)) do
         if has_kernel(parent .. "/" .. release, release) then
            local literal = release:gsub("[%^%$%(%)%.%[%]%*%+%?{}|\\]", "\\%0")
            list[#list + 1] = "^" .. parent .. "/" .. literal .. "/kernel/"
         end
      end
   end
   return list
end

-- Whether an attribute prints what modules need or drive in this dialect, and not what they provide.
local function is_of_needs(attr)
   local dialect = rpm.expand("%{kmp_dialect}")
   for _, generator in ipairs(generators) do
      if generator.attr == attr then
         for _, output in ipairs(generator.outputs) do
            if output.type == "provides" and (output.dialect or dialect) == dialect then
               return false
            end
         end
      end
   end
   return true
end

-- The paths of modules that a file attribute of ours leaves out.
function stock_kernels.paths(attr)
   if rpm.expand("%{?kmp_kernelrelease}") ~= "" or not is_of_needs(attr) then
      return {}
   end
   return paths()
end

-- Prints them as a regular expression. Prints nothing if there are none.
function stock_kernels.print_path(attr)
   print(table.concat(stock_kernels.paths(attr), "|"))
end

return stock_kernels
