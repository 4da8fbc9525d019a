-- Composes the commands that rpm runs for our file attributes, from the table of generators.

local generators = require("kmpkit_generators").generators
local options = require("kmpkit_options")

local command = {}

local function generator_of(attr)
   for _, generator in ipairs(generators) do
      if generator.attr == attr then
         return generator
      end
   end
   error("no generator has the file attribute " .. attr, 0)
end

-- The output of a generator that has tags of a type in this dialect.
local function output_of(generator, kind)
   local dialect = rpm.expand("%{kmp_dialect}")
   for _, output in ipairs(generator.outputs) do
      if output.type == kind and (output.dialect or dialect) == dialect then
         return output
      end
   end
end

-- The command of a file attribute for a type of tags, for one file; empty if there are no such tags.
function command.text(attr, kind)
   local generator = generator_of(attr)
   local output = output_of(generator, kind)
   if not output or (generator.policy == "needed" and not options.has_policy()) then
      return ""
   end
   local words = { "%{_rpmconfigdir}/" .. generator.program, "%{__kmpkit_options}" }
   if generator.policy then
      words[#words + 1] = "%{__kmpkit_policy}"
   end
   words[#words + 1] = output.option
   return rpm.expand(table.concat(words, " "))
end

-- Prints the command that rpm is to run, with the option of its protocol.
function command.print(attr, kind)
   local text = command.text(attr, kind)
   print(text ~= "" and text .. rpm.expand("%{__kmpkit_multifile}") or "")
end

return command
