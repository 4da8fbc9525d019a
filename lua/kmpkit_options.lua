-- Checks the macros that a packager may set, and makes options of generators and kmp-split of them.

local options = {}

function options.quoted(text)
   return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The allowed values. They reach a shell unquoted.
local VALUES = {
   { name = "kmp_dialect", pattern = "^[a-z]+$", allowed = "suse or redhat" },
   { name = "kmp_flavor", pattern = "^[%w._+][%w._+~]*$", allowed = "A-Z a-z 0-9 . _ + ~" },
   { name = "kmp_kabi", pattern = "^[%w._+][%w._+~^]*$", allowed = "A-Z a-z 0-9 . _ + ~ ^ (no dash)" },
   { name = "kmp_symvers", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_policy", pattern = "^%s*/[%w._+~/ -]*$", each = "^/", allowed = "absolute paths of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_system_policy", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_previous", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_plan", pattern = "^/[%w._+~/-]*$", allowed = "an absolute path of A-Z a-z 0-9 . _ + ~ / -" },
   { name = "kmp_kernelrelease", pattern = "^[%w._+][%w._+~-]*$", allowed = "A-Z a-z 0-9 . _ + ~ -" },
   { name = "kmp_image_package", pattern = "^[%w_][%w._+~-]*$", allowed = "A-Z a-z 0-9 . _ + ~ -" },
   { name = "kmp_file_attrs", pattern = "^[%l%d_ ]*$", allowed = "names of a-z 0-9 _" },
}

function options.check()
   for _, option in ipairs(VALUES) do
      local value = rpm.expand("%{?" .. option.name .. "}")
      -- In rpm 4.20 the build directory is undefined before Name:.
      value = value:gsub("^%%{_builddir}", "")
      local fits = value:match(option.pattern)
      for word in value:gmatch("%S+") do
         fits = fits and word:match(option.each or "")
      end
      -- %{name} is undefined before Name:.
      if value ~= "" and value ~= "%{name}" and not fits then
         error("%" .. option.name .. " \"" .. value .. "\" is not allowed: use " .. option.allowed, 0)
      end
   end
end

-- Macros that one family of distributions has, and its rebuilds under other names with it: of its
-- releases, of its packaging of drivers, and the path of its file attribute for them.
local MACROS_OF_DIALECTS = {
   { dialect = "suse", macros = { "suse_version", "sle_version", "suse_kernel_module_package", "__kmp_path" } },
   { dialect = "redhat", macros = { "rhel", "fedora", "redhat_kernel_module_package", "__provided_ksyms_path" } },
}

-- The dialect of the distribution. Where no macro tells it, the vendor that rpm was built for does.
function options.dialect()
   for _, known in ipairs(MACROS_OF_DIALECTS) do
      for _, name in ipairs(known.macros) do
         if rpm.expand("%{?" .. name .. ":1}") == "1" then
            return known.dialect
         end
      end
   end
   return rpm.expand("%{?_vendor}") == "redhat" and "redhat" or "suse"
end

-- Whether there is a policy that may override tags. The default policy overrides none.
function options.has_policy()
   for _, name in ipairs(posix.dir(rpm.expand("%{kmp_system_policy}")) or {}) do
      if name:match("^[^.].*%.toml$") then
         return true
      end
   end
   return rpm.expand("%{?kmp_policy}"):match("%S") ~= nil
end

-- The options that name the policy.
function options.policy()
   local words = { "--system-policy", rpm.expand("%{kmp_system_policy}") }
   for file in rpm.expand("%{?kmp_policy}"):gmatch("%S+") do
      words[#words + 1] = "--policy " .. file
   end
   return table.concat(words, " ")
end

-- The protocol that rpm is to speak with the generators. An rpm that knows more than one has a macro
-- with its version.
function options.protocol()
   local version = rpm.expand("%{rpmversion}")
   local knows = version:match("^%d") and rpm.vercmp(version, "4.19.90") >= 0
   return knows and "multifile" or "singlefile"
end

-- The options that tags depend on, as the index of the tag cache writes them.
function options.of_tags()
   local text = rpm.expand("%{__kmpkit_options} %{__kmpkit_policy}"):gsub("%s+", " ")
   return (text:gsub(" $", ""))
end

return options
