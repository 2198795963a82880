import Fuzzing
import LMTP
import Octets

/// Reads the input as what an LMTP client sends, whole and in pieces.
@main
enum SessionTarget {
    static func main() {
        Fuzzing.run { octets in
            let whole = conversation(octets, size: max(octets.count, 1))
            for size in [1, 7] {
                Fuzzing.require(
                    conversation(octets, size: size) == whole, "pieces of \(size) octets change the conversation")
            }
        }
    }

    private struct Conversation: Equatable {
        var replies: [LMTPReply] = []
        var messages: [[UInt8]] = []
    }

    private static func conversation(_ octets: OctetString, size: Int) -> Conversation {
        var limits = LMTPLimits()
        limits.messageOctets = 2_000
        limits.recipients = 5
        // Longer lines are refused as soon as they are seen, which depends on the pieces.
        limits.commandOctets = 10_000
        var session = LMTPSession(host: "fuzz.test", limits: limits)
        var told = Conversation()
        var content: [UInt8] = []
        var start = 0
        while start < octets.count {
            let end = min(start + size, octets.count)
            octets.slice(start..<end).withUnsafeBytes { session.append($0) }
            start = end
            steps: while true {
                switch session.next() {
                case .wait: break steps
                case .reply(let reply): tell(reply, &told)
                case .admit: session.answer(admission: nil)
                case .begin:
                    content = []
                    session.answer(beginning: nil)
                case .content(let octets): content += octets
                case .drop: Fuzzing.require(content.count <= limits.messageOctets, "more than the limit")
                case .commit(let transaction):
                    Fuzzing.require(content.count <= limits.messageOctets, "more than the limit")
                    Fuzzing.require((1...limits.recipients).contains(transaction.recipients.count), "recipients")
                    told.messages.append(content)
                    session.answer(outcome: transaction.recipients.map { _ in LMTPReply(250, "2.1.5", "Ok") })
                case .close(let reply):
                    tell(reply, &told)
                    return told
                }
            }
        }
        return told
    }

    private static func tell(_ reply: LMTPReply, _ told: inout Conversation) {
        let octets = reply.octets
        Fuzzing.require(octets.suffix(2) == [0x0D, 0x0A], "a reply without its end")
        Fuzzing.require(
            octets.filter { $0 == 0x0A || $0 == 0x0D }.count == 2 * reply.lines.count, "a line end within a reply")
        told.replies.append(reply)
    }
}
