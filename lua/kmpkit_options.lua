-- The macros a packager may set in, checked options of the generators and of kmp-split out.

local options = {}

function options.quoted(text)
   return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What the values may be. They reach a shell as they are.
local VALUES = {
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
   { name = "kmp_file_attrs", pattern = "^[%l%d_ ]*$", allowed = "names of a-z 0-9 _" },
}

function options.check()
   for _, option in ipairs(VALUES) do
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

-- Whether there is a policy that may override tags; the default policy overrides none.
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

-- The command for a type of tags that a policy adds; nothing without a policy.
function options.policy_tags(kind)
   if not options.has_policy() then
      return ""
   end
   return rpm.expand("%{_rpmconfigdir}/policy-tags %{__kmpkit_options} %{__kmpkit_policy} --type ") .. kind
end

-- The protocol rpm is to speak with the generators. It has a macro for its version since it knows
-- more than one.
function options.protocol()
   local version = rpm.expand("%{rpmversion}")
   local knows = version:match("^%d") and rpm.vercmp(version, "4.19.90") >= 0
   return knows and "multifile" or "singlefile"
end

-- All that tags depend on, as the index of kept tags spells it.
function options.of_tags()
   local text = rpm.expand("%{__kmpkit_options} %{__kmpkit_policy}"):gsub("%s+", " ")
   return (text:gsub(" $", ""))
end

return options
