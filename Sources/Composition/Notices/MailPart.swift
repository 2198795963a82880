import InternetMessage
public import Octets

/// A body part that SES writes itself: its Content-* fields, each with CRLF, and its body.
struct MailPart {
    let fields: String
    let body: OctetRope
    /// True if the body has octets above 127, which every multipart around it must declare (RFC 2045 §6.4).
    var isEightBit = false

    /// Fields, empty line and body.
    var entity: OctetRope {
        var rope = OctetRope()
        rope.append(fields + "\r\n")
        rope.append(body)
        return rope
    }

    /// UTF-8 text of ours, CRLF line ends; 7-bit, encoded where it needs it.
    static func text(_ subtype: String, _ text: String) -> MailPart {
        let octets = OctetString(text)
        let isFit = TransportFaults.of(octets).isEmpty
        return MailPart(
            fields: "Content-Type: text/\(subtype); charset=utf-8\r\nContent-Transfer-Encoding: "
                + (isFit ? "7bit" : "quoted-printable") + "\r\n",
            body: isFit ? OctetRope([octets]) : OctetRope([QuotedPrintableEncoded(octets)]))
    }

    /// A file in base64.
    /// - Parameter name: Ours: US-ASCII without quotes.
    static func file(_ content: any OctetSource, type: String, name: String, description: String) -> MailPart {
        MailPart(
            fields: "Content-Type: \(type); name=\"\(name)\"\r\nContent-Transfer-Encoding: base64\r\n"
                + "Content-Disposition: attachment; filename=\"\(name)\"\r\n"
                + FieldLines.field("Content-Description", text: description),
            body: OctetRope([Base64Encoded(content)]))
    }

    /// - Parameter boundary: Stands nowhere in the parts: made of a random token.
    static func multipart(_ subtype: String, _ parts: [MailPart], boundary: String) -> MailPart {
        var body = OctetRope()
        for part in parts {
            body.append((body.count == 0 ? "--" : "\r\n--") + boundary + "\r\n")
            body.append(part.entity)
        }
        body.append("\r\n--" + boundary + "--\r\n")
        let isEightBit = parts.contains(where: \.isEightBit)
        return MailPart(
            fields: FieldLines.field("Content-Type", ["multipart/\(subtype);", "boundary=\"\(boundary)\""])
                + (isEightBit ? "Content-Transfer-Encoding: 8bit\r\n" : ""),
            body: body, isEightBit: isEightBit)
    }

    /// The same text in two forms.
    static func alternative(plain: String, html: String, boundary: String) -> MailPart {
        multipart(
            "alternative",
            [
                text("plain", plain),
                text("html", "<!DOCTYPE html>\r\n<html><body>" + html + "</body></html>\r\n"),
            ], boundary: boundary)
    }

    /// Returns the original, octet for octet: message/rfc822, or a file if that cannot carry it (RFC 2046 §5.2.1, RFC
    /// 5322 §2.1.1).
    static func original(_ message: CleanedMessage) -> MailPart {
        let faults = message.faults
        guard faults.isDisjoint(with: [.longLine, .null]), message.lineEnding != .mixed else {
            return file(
                message.rawRope, type: "application/octet-stream", name: "original.eml",
                description: "The original message")
        }
        let isEightBit = faults.contains(.eightBit)
        return MailPart(
            fields: "Content-Type: message/rfc822\r\n"
                + (isEightBit ? "Content-Transfer-Encoding: 8bit\r\n" : "")
                + "Content-Disposition: attachment; filename=\"original.eml\"\r\n"
                + "Content-Description: The original message\r\n",
            body: message.canonicalRope, isEightBit: isEightBit)
    }

    /// Only the header of the original (RFC 6522 §4).
    /// - Parameter limit: Octets; the fields beyond are left out.
    static func originalHeader(_ message: CleanedMessage, limit: Int = .max) -> MailPart {
        var size = 0
        let fields = message.header.fields.prefix { field in
            size += field.raw.count
            return size <= limit
        }
        let octets = OctetRope(fields.map(\.completed)).collected().withCRLFLineEnds()
        let isFit = TransportFaults.of(octets).isEmpty
        return MailPart(
            fields: "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: "
                + (isFit ? "7bit" : "quoted-printable")
                + "\r\nContent-Description: The header of the original message\r\n",
            body: isFit ? OctetRope([octets]) : OctetRope([QuotedPrintableEncoded(octets)]))
    }
}

/// The answer of a server as received, to be attached.
public struct ServerAnswer: Sendable {
    let content: any OctetSource
    /// The name of the attached file. It bears the entry's identifier, which a sender cannot know.
    public let name: String

    /// - Parameters:
    ///   - content: XML as received.
    ///   - entry: The entry's identifier.
    ///   - number: Of the attachment that it is about, counted from 1 as in the result; nil for the mail itself.
    public init(_ content: any OctetSource, entry: String, number: Int? = nil) {
        self.content = content
        name = Self.name(entry: entry, number: number)
    }

    /// `verification-response-ENTRY.xml` for the mail, `verification-response-ENTRY-N.xml` for its N-th attachment.
    public static func name(entry: String, number: Int? = nil) -> String {
        let safe = entry.utf8.prefix(64).filter {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        }
        return "verification-response-" + String(decoding: safe, as: UTF8.self) + (number.map { "-\($0)" } ?? "")
            + ".xml"
    }

    var part: MailPart {
        .file(content, type: "application/xml", name: name, description: "Answer of the signing server, as received")
    }
}
