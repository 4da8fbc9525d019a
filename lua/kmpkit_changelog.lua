-- Puts the %changelog of the spec file into a file of the image package, which alone has it.

local changelog = {}

-- The path of the spec file. No macro has it, but the file is open while rpm parses it.
local function spec_path()
   for _, descriptor in ipairs(posix.dir("/proc/self/fd") or {}) do
      local target = posix.readlink("/proc/self/fd/" .. descriptor)
      if target and target:match("%.spec$") and (tonumber(descriptor) or 0) > 2 then
         return target
      end
   end
   error("cannot find the path of the spec file in /proc/self/fd: mount /proc where rpmbuild runs", 0)
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

-- The lines of %changelog in the spec file and in the files it includes.
local function entries()
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

local lines = {}

-- Reads the entries, while the spec file is parsed.
function changelog.read()
   lines = entries()
end

local function is_empty()
   return not table.concat(lines):match("%w")
end

-- Shell commands that write the changelog into a file of the image package. rpm would take some lines
-- for directives, so each begins with a bar until sed removes it.
function changelog.write()
   if is_empty() then
      return ""
   end
   local text = {}
   for _, line in ipairs(lines) do
      text[#text + 1] = "|" .. rpm.expand(line)
   end
   local target = rpm.expand("%{buildroot}%{__kmpkit_changelog}")
   return "mkdir -p " .. target:match("^(.*)/") .. "\nsed 's/^|//' > " .. target .. " <<'END_OF_CHANGELOG'\n"
      .. table.concat(text, "\n") .. "\nEND_OF_CHANGELOG\n"
end

-- Shell commands that add the file to the list of the image package. With %kmp_tree that list has all
-- files anyway.
function changelog.list()
   if is_empty() then
      return ""
   end
   local list = "echo '%%dir %{_docdir}/%{kmp_image_package}'"
   if rpm.expand("%{?kmp_root}") == "" then
      list = list .. "; echo '%{__kmpkit_changelog}'"
   end
   return rpm.expand("{ " .. list .. "; } >> %{kmp_image_list}")
end

return changelog
