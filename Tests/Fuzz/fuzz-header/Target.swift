import Composition
import Fuzzing
import InternetMessage
import MessageInspection
import Octets

/// Reads the input as a header, as an envelope block, and as the body of each field that is read as more than text.
@main
enum HeaderTarget {
    static func main() {
        Fuzzing.run { octets in
            guard let header = read(octets) else { return }
            checkPlaces(header, in: octets)
            if let canonical = read(octets.withCRLFLineEnds()) {
                Fuzzing.require(
                    header.fields.map(\.name) == canonical.fields.map(\.name), "LF and CRLF differ in fields")
            }
            for field in header.fields { readMore(field) }
            checkBlock(octets)
            _ = try? Envelope.reading(block: nil, header: header, isBare: true)
            _ = try? Envelope.reading(block: nil, header: header, isBare: false)
        }
    }

    private static func read(_ octets: OctetString) -> Header? {
        do throws(MessageSyntaxError) { return try Header(reading: octets) } catch { return nil }
    }

    private static func checkPlaces(_ header: Header, in octets: OctetString) {
        var end = header.range.lowerBound
        for field in header.fields {
            Fuzzing.require(field.range.lowerBound >= end, "fields overlap")
            end = field.range.upperBound
        }
        Fuzzing.require(end <= header.range.upperBound && header.range.upperBound <= octets.count, "a field outside")
    }

    private static func readMore(_ field: HeaderField) {
        _ = (AddressList(parsing: field), field.text, EncodedWords.decode(field.text, using: Charsets()))
        _ = (MailDate(parsing: field.text), MessageID(parsing: field.rawBody), ReversePath(reading: field.text))
        let type = ContentType(parsing: field.text)
        _ = (type?.mediaType, ContentDisposition(parsing: field.text).parameter("filename")?.decoded(using: Charsets()))
    }

    /// A block that is read and written is read the same.
    private static func checkBlock(_ octets: OctetString) {
        guard let block = try? EnvelopeBlock(parsing: octets) else { return }
        let again = try? EnvelopeBlock(parsing: block.rendered(lineEnd: .lf))
        Fuzzing.require(
            again?.envelope.recipients == block.envelope.recipients && again?.envelope.sender == block.envelope.sender,
            "an envelope block that is written anew has another envelope")
    }
}
