public import MailEnvelope
public import Octets

extension HeaderField {
    /// The body without its line ends: what folding put there is gone (RFC 5322 §2.2.3). A CR alone stays.
    public var unfoldedBody: OctetString { rawBody.unfolded }

    /// The unfolded body as text, read as UTF-8, without the blanks around it; encoded-words stay encoded.
    public var text: String {
        let octets = unfoldedBody
        var start = 0
        var end = octets.count
        while start < end, octets[start].isBlankOrCR { start += 1 }
        while end > start, octets[end - 1].isBlankOrCR { end -= 1 }
        return octets.slice(start..<end).text
    }
}

extension AddressList {
    /// Reads the body of `field`.
    public init(parsing field: HeaderField) { self.init(parsing: field.rawBody) }
}
