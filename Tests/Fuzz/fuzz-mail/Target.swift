import Composition
import Fuzzing
import InternetMessage
import MessageInspection
import Octets
import Workflows

/// Reads the input as a mail, asks everything that is asked of one, and prepares it for signing.
@main
enum MailTarget {
    static func main() {
        Fuzzing.run { octets in
            guard let message = read(octets) else { return }
            checkPlaces(message.root, within: 0..<octets.count)
            ask(message)
            if let canonical = read(octets.withCRLFLineEnds()) {
                Fuzzing.require(shape(message) == shape(canonical), "LF and CRLF differ in parts")
                checkSignable(canonical)
                checkSplice(canonical)
            }
        }
    }

    private static func read(_ octets: OctetString) -> Message? {
        do throws(MessageSyntaxError) { return try Message(reading: octets) } catch { return nil }
    }

    /// The parts of a message without its line ends.
    private static func shape(_ message: Message) -> [String] {
        message.root.walk(.enclosedMessages).map { "\($0.path) \($0.contentType.mediaType) \($0.header.fields.count)" }
    }

    private static func checkPlaces(_ entity: Entity, within outer: Range<Int>) {
        Fuzzing.require(
            outer.contains(entity.range) && entity.range.contains(entity.bodyRange), "an entity outside of its parent")
        for child in entity.children { checkPlaces(child, within: entity.bodyRange) }
    }

    private static func ask(_ message: Message) {
        let facts = InspectedMessage(message, recipients: [], sender: nil)
        let reading = facts.smimeReading
        for text in reading.ambiguities + reading.remarks {
            Fuzzing.require(
                text.count < 400 && !text.unicodeScalars.contains { $0.value < 0x20 }, "a finding of more than a line")
        }
        _ = SMIMEForm.signedPartsBelow(message.root)
        _ = (facts.to, facts.cc, facts.bcc, facts.from, facts.subject, facts.bodyText, facts.isEncrypted)
        _ = ForeignResults(in: [message], authservID: "ses.example.test", using: BuiltInCharsets()).words
        for entity in message.root.walk(.enclosedMessages) {
            let source = entity.decodedSource
            Fuzzing.require(source.count == source.collected().count, "a decoded body of another length than it says")
            _ = entity.fileName(using: Charsets())
        }
    }

    private static func checkSignable(_ message: Message) {
        do throws(CompositionError) {
            let entity = try SignableEntity(of: message).entity.collected()
            Fuzzing.require(entity.allSatisfy { $0 < 0x80 && $0 != 0 }, "what is signed is not 7-bit")
            var length = 0
            var previous: UInt8 = 0
            for octet in entity {
                Fuzzing.require((previous == 0x0D) == (octet == 0x0A), "what is signed has a CR or LF alone")
                length = octet == 0x0A ? 0 : length + 1
                Fuzzing.require(length <= 999, "what is signed has a line of more than 998 octets")
                previous = octet
            }
            Fuzzing.require(previous != 0x0D, "what is signed ends within a line end")
        } catch {
            Fuzzing.require(error.kind != .unreadableHeader, "a header that was read cannot be")
        }
    }

    /// Every attachment replaced, as if it had been signed.
    private static func checkSplice(_ message: Message) {
        let attachments = InspectedMessage(message, recipients: [], sender: nil).attachments.filter {
            $0.protection == nil
        }
        guard !attachments.isEmpty else { return }
        let new = OctetString("a document with its signature\n")
        let changes = Dictionary(
            uniqueKeysWithValues: attachments.map { ($0.path, AttachmentChange.replaced(new, charset: nil)) })
        let spliced = AttachmentSplice(changes, token: "0123456789abcdef").applied(to: message).collected()
        guard let result = read(spliced) else {
            return Fuzzing.require(false, "a mail with signed attachments cannot be read any more")
        }
        let (old, now) = (leaves(message), leaves(result))
        Fuzzing.require(old.map(\.path) == now.map(\.path), "a mail with signed attachments has other parts")
        for (before, after) in zip(old, now) {
            if changes[before.path] != nil {
                Fuzzing.require(after.decodedBody == new, "a signed attachment is not whole")
            } else {
                Fuzzing.require(after.octets == before.octets, "a part beside a signed attachment was changed")
            }
        }
    }

    private static func leaves(_ message: Message) -> [Entity] {
        message.root.walk().filter { if case .multipart = $0.content { false } else { true } }
    }
}

extension Range<Int> {
    fileprivate func contains(_ other: Range<Int>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}
