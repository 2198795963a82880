import Fuzzing
import Octets

@testable import SMTPClient

/// Reads the input as what a mail server says, whole and in pieces.
@main
enum ReplyTarget {
    static func main() {
        Fuzzing.run { octets in
            let whole = replies(octets, size: max(octets.count, 1))
            for size in [1, 7] {
                Fuzzing.require(replies(octets, size: size) == whole, "pieces of \(size) octets change the replies")
            }
        }
    }

    private static func replies(_ octets: OctetString, size: Int) -> [SMTPReply?] {
        var reader = SMTPReplyReader()
        var found: [SMTPReply?] = []
        var start = 0
        do throws(SMTPReplyFault) {
            while start < octets.count {
                let end = min(start + size, octets.count)
                octets.slice(start..<end).withUnsafeBytes { reader.append($0) }
                start = end
                while let reply = try reader.next() {
                    check(reply)
                    found.append(reply)
                }
            }
            Fuzzing.require(reader.isWithinReply || found.count > 0 || octets.isEmpty, "octets that are nothing")
        } catch {
            Fuzzing.require(!error.detail.contains("\n") && error.detail.utf8.count < 600, "a fault of many lines")
            found.append(nil)
        }
        return found
    }

    private static func check(_ reply: SMTPReply) {
        Fuzzing.require((200...599).contains(reply.code), "code \(reply.code)")
        for text in reply.lines + [reply.description] {
            Fuzzing.require(
                !text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) },
                "a control character in a reply")
        }
        Fuzzing.require(reply.description.count <= 500, "a reply in a line of more than 500 characters")
        if let status = reply.status {
            Fuzzing.require(status.statusClass == reply.code / 100, "a status of another class than the code's")
        }
        _ = SMTPCapabilities(ehloLines: reply.lines)
        _ = (reply.severity, reply.asksForAuthentication, reply.meansTooManyRecipients)
    }
}
