# The parts that Ruby's mail shows of mails: the files 0 to COUNT-1 in FOLDER, a line of JSON for each.
require 'base64'
require 'json'
require 'mail'

folder, count = ARGV[0], ARGV[1].to_i

def leaves(part, found)
  if part.parts.any?
    part.parts.each { |child| leaves(child, found) }
    return
  end
  content = begin
    part.body.decoded
  rescue StandardError
    part.body.encoded
  end
  name = begin
    part.filename
  rescue StandardError
    nil
  end
  found << {
    type: (part.mime_type || 'text/plain').downcase, name: name && name.dup.force_encoding('UTF-8').scrub,
    content: Base64.strict_encode64(content.b)
  }
end

count.times do |index|
  found = []
  begin
    leaves(Mail.new(File.binread("#{folder}/#{index}")), found)
  rescue StandardError => e
    warn "message #{index}: #{e.class}"
  end
  puts JSON.generate(found)
end
