import TestSupport

/// A mail in which something unsigned stands beside what is signed, written so oddly that readers may take it apart in
/// different ways. Made from a seed: the same seed gives the same mail.
struct OddMail {
    /// In every text that is not signed, and in none that is.
    static let mark = "UNSIGNED"
    static let boundary = "b0und"

    let seed: UInt64
    /// True if it is a multipart/signed; otherwise it is a multipart/mixed with a signed file.
    let isSigned: Bool
    /// The first part, header and body: of a signed mail what is signed.
    let content: String
    /// The second part: the signature, or the signed file.
    let second: String
    let octets: [UInt8]
    /// The changes made to it, for a failure's message.
    let account: String

    init(seed: UInt64, isSigned: Bool) {
        self.seed = seed
        self.isSigned = isSigned
        var writer = OddMailWriter(numbers: SeededNumbers(seed: seed))
        content = writer.content()
        second = isSigned ? OddMailWriter.signature : OddMailWriter.document
        octets = writer.mail(content: content, second: second, isSigned: isSigned)
        account = writer.account.joined(separator: ", ")
    }
}

/// Writes the pieces of an ``OddMail``: most of them plain, a few in one of many odd forms.
private struct OddMailWriter {
    var numbers: SeededNumbers
    var account: [String] = []
    private let boundary = OddMail.boundary

    init(numbers: SeededNumbers) { self.numbers = numbers }

    static let signature = """
        Content-Type: application/pkcs7-signature; name="smime.p7s"\r
        Content-Transfer-Encoding: base64\r
        Content-Disposition: attachment; filename="smime.p7s"\r
        \r
        MIAGCSqGSIb3DQEHAqCAMIACAQExDTALBglghkgBZQMEAgEwgAYJKoZIhvcNAQcB\r
        AAAAAA==\r

        """
    /// A signed document is as well known: what matters here is which octets stand under its name.
    static let document = """
        Content-Type: application/pdf; name="contract.pdf"\r
        Content-Transfer-Encoding: base64\r
        Content-Disposition: attachment; filename="contract.pdf"\r
        \r
        JVBERi0xLjcKc2lnbmVkCiUlRU9GCg==\r

        """

    // MARK: - Chance

    private mutating func chance(_ one: Int, in many: Int) -> Bool { Int.random(in: 0..<many, using: &numbers) < one }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &numbers)]
    }

    /// One of the odd forms, noted; `plain` most of the time.
    private mutating func odd(_ what: String, _ plain: String, oneIn rarity: Int, _ forms: [String]) -> String {
        guard chance(1, in: rarity) else { return plain }
        let form = pick(forms)
        account.append("\(what) \(form.debugDescription)")
        return form
    }

    // MARK: - Pieces

    mutating func content() -> String {
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0:
            return "Content-Type: multipart/mixed; boundary=\"inner\"\r\n\r\n--inner\r\n"
                + "Content-Type: text/plain\r\n\r\nPay 100 euro.\r\n--inner\r\n"
                + "Content-Type: text/html\r\n\r\n<p>Pay 100 euro.</p>\r\n--inner--\r\n"
        case 1:
            return "Content-Type: multipart/alternative; boundary=\"\(boundary)x\"\r\n\r\n--\(boundary)x\r\n"
                + "Content-Type: text/plain\r\n\r\nPay 100 euro.\r\n--\(boundary)x--\r\n"
        case 2: return "\r\nPay 100 euro.\r\n"
        default: return "Content-Type: text/plain; charset=us-ascii\r\n\r\nPay 100 euro.\r\n"
        }
    }

    /// Text that nobody signed, as the part of a boundary that some reader may believe in.
    private mutating func forgery(_ other: String) -> String {
        let begin = odd(
            "delimiter", "--\(other)\r\n", oneIn: 3,
            [
                "--\(boundary) evil\r\n", "--\(boundary)x\r\n", "--\(boundary)\t\r\n", "--\(boundary)  \r\n",
                "--\(boundary)--evil\r\n", "--\(boundary)\u{0}\r\n", "--\(boundary)\u{0}evil\r\n", " --\(boundary)\r\n",
                "\t--\(boundary)\r\n", "\u{0}--\(boundary)\r\n", "--B0UND\r\n", "--\(boundary)\r",
                "\r--\(boundary)\r\n",
                "--\(boundary)\u{B}\r\n", "--\(boundary)\u{C}\r\n", "--\(boundary)(evil)\r\n", "--\(boundary);\r\n",
                "--\"\(boundary)\"\r\n", "-- \(boundary)\r\n", "---\(boundary)\r\n", "--\(boundary)-\r\n",
                "--\(boundary)- -\r\n", "--\(boundary)\u{85}\r\n", "--\(boundary)\u{A0}\r\n",
                "--\(boundary)\u{2028}\r\n",
                "x\u{B}--\(boundary)\r\n", "x\u{C}--\(boundary)\r\n", "x\u{1C}--\(boundary)\r\n",
                "x\u{85}--\(boundary)\r\n",
                "x\u{2028}--\(boundary)\r\n", "--\(boundary)\n", "\n\r--\(boundary)\r\n",
                "\r\r\n--\(boundary)\u{1A}\r\n",
                String(repeating: "x", count: pick([990, 998, 1000, 1022, 1024, 2048, 4096, 8192, 16_384, 65_536]))
                    + "--\(boundary)\r\n",
            ])
        let type = pick([
            "text/plain", "text/html", "text/html; charset=utf-8", "application/pdf; name=\"contract.pdf\"",
        ])
        let header = odd(
            "header of a forged part", chance(1, in: 2) ? "Content-Type: \(type)\r\n\r\n" : "\r\n", oneIn: 4,
            ["\r\n", "", "\(OddMail.mark) no field\r\n\r\n", "X: \(OddMail.mark)\r\n \r\n", "X : y\r\n\r\n"])
        let text = "\(OddMail.mark) pay 900 euro.\r\n"
        let end = odd(
            "end", "--\(other)--\r\n", oneIn: 3, ["", "--\(other)\r\n", "--\(boundary)-- \r\n", "--\(boundary)--x\r\n"])
        return begin + header + text + end
    }

    /// Returns the boundary as written in Content-Type, and another boundary that a reader may find there.
    private mutating func parameter() -> (text: String, other: String) {
        let other = pick(["evil", boundary, boundary + "=x", boundary + "(x)", "b0", String(repeating: "y", count: 70)])
        guard chance(1, in: 2) else { return ("boundary=\"\(boundary)\"", pick(["evil", boundary])) }
        let long = String(repeating: "y", count: 70)
        let forms: [(String, String)] = [
            ("boundary=\(boundary)", "evil"), ("boundary=\(boundary)(x)", "\(boundary)(x)"),
            ("boundary=\(boundary) (x)", "\(boundary) (x)"), ("boundary=\(boundary) x", "\(boundary) x"),
            ("boundary=(x)\(boundary)", "(x)\(boundary)"), ("(boundary=evil) boundary=\(boundary)", "evil"),
            ("(;boundary=evil;) ; boundary=\(boundary)", "evil"), ("boundary=evil; boundary=\(boundary)", "evil"),
            ("boundary=\(boundary); boundary=evil", "evil"), ("boundary=\(boundary); BOUNDARY=evil", "evil"),
            ("boundary=\(boundary); boundary*=us-ascii''evil", "evil"), ("boundary*=us-ascii''\(boundary)", "evil"),
            ("boundary*0=b0; boundary*1=und", "b0"), ("boundary*0=\(boundary); boundary=evil", "evil"),
            ("boundary*0*=''b0%75nd", "b0%75nd"), ("boundary=\"=?us-ascii?Q?evil?=\"", "evil"),
            ("boundary=\"=?us-ascii?Q?\(boundary)?=\"", boundary), ("boundary='\(boundary)'", boundary),
            ("boundary=<\(boundary)>", boundary), ("boundary=\"<\(boundary)>\"", boundary),
            ("boundary=\"'\(boundary)'\"", boundary), ("boundary=\"b0\\und\"", "b0und"),
            ("boundary=\"\(boundary)\\\"\"", "\(boundary)\\"), ("boundary=\"\(boundary)\\\\\"", "\(boundary)\\\\"),
            ("boundary=\(boundary)=x", boundary), ("boundary=\(boundary)/x", boundary),
            ("boundary=\(boundary):x", boundary),
            ("boundary=\(boundary)?x", boundary), ("boundary=\(boundary),x", boundary),
            ("boundary=\(boundary)@x", boundary),
            ("boundary=\(boundary)\"x\"", "\(boundary)x"), ("boundary=\"\(boundary)\"x", "\(boundary)x"),
            ("boundary=\"b0\"und", "b0"), ("boundary=\"\(boundary)\" \"x\"", "\(boundary)x"),
            ("boundary =\(boundary)", "evil"),
            ("boundary= \(boundary)", "evil"), ("boundary = \"\(boundary)\"", "evil"),
            ("boundary\t=\r\n\t\"\(boundary)\"", "evil"),
            ("boundary=\"\(boundary) \"", boundary), ("boundary=\" \(boundary)\"", boundary),
            ("boundary=\"\(boundary)\t\"", boundary), ("boundary=\"\(boundary)\u{B}\"", boundary),
            ("boundary=\"\(boundary)\u{0}x\"", boundary), ("boundary=\"\(boundary)\r x\"", boundary),
            ("boundary=\"\(boundary)\r\n x\"", "\(boundary)x"), ("boundary=\"b0\r\n und\"", "b0und"),
            ("boundary=\"\(boundary)", boundary), ("boundary=\(boundary)\"", boundary), ("boundary=\"\(long)z\"", long),
            ("boundary=\(boundary);;", "evil"), ("x=\";boundary=evil;\"; boundary=\(boundary)", "evil"),
            ("x=\"\\\";boundary=evil;\\\"\"; boundary=\(boundary)", "evil"),
            ("x=\"boundary=evil\"; boundary=\(boundary)", "evil"),
            ("xboundary=evil; boundary=\(boundary)", "evil"), ("x-boundary=evil; boundary=\(boundary)", "evil"),
            ("boundary-x=evil; boundary=\(boundary)", "evil"), ("boundary; boundary=\(boundary)", "evil"),
            ("boundary=; boundary=\(boundary)", "evil"), ("boundary=\"\"; boundary=\(boundary)", ""),
            ("=x; boundary=\(boundary)", "evil"), ("\"boundary\"=evil; boundary=\(boundary)", "evil"),
            ("boundary=evil boundary=\(boundary)", "evil"), ("boundary=\(boundary) boundary=evil", "evil"),
            ("boundary=\"evil\"boundary=\"\(boundary)\"", "evil"),
            ("boundary=\"\(boundary)\"; charset=\"x;boundary=evil\"", "evil"),
            ("boundary\u{0}=evil; boundary=\(boundary)", "evil"), ("boundary=evil\u{0}; boundary=\(boundary)", "evil"),
            ("boundary=\(boundary)\u{C}", boundary), ("boundary=\"B0UND\"", boundary),
            ("Boundary=\"\(boundary)\"", "evil"),
            ("boundary=\"\(boundary)\", boundary=\"evil\"", "evil"),
            ("boundary=\"\(boundary)\"\r\n\tboundary=\"evil\"", "evil"),
            ("x=y boundary=evil; boundary=\(boundary)", "evil"), ("boundary=\"\(boundary)--\"", boundary),
            ("boundary=\(boundary)%20x", "\(boundary) x"), ("boundary=\"\(boundary)\u{A0}\"", boundary),
        ]
        let (text, named) = pick(forms)
        account.append("parameter \(text.debugDescription)")
        return (text, chance(3, in: 4) ? named : other)
    }

    private mutating func contentType(isSigned: Bool) -> (text: String, other: String) {
        let type = isSigned ? "multipart/signed" : "multipart/mixed"
        let more = isSigned ? "; protocol=\"application/pkcs7-signature\"; micalg=sha-256; " : "; "
        let (parameter, other) = parameter()
        let name = odd(
            "field name", "Content-Type: ", oneIn: 12,
            [
                "Content-Type : ", "Content-Type\t: ", "CONTENT-TYPE: ", "Content-Type:\r\n ",
                "Content-Type:\r\n\t\r\n ",
                "Content-Type:", "Content-Type:\u{B}", "Content-Type\u{0}: ", "Content-Type:\u{0} ",
                "Content-Type\u{A0}: ",
            ])
        let value = odd(
            "media type", type, oneIn: 12,
            [
                type.uppercased(), "\"\(type)\"", "\(type) (x)", "(x) \(type)", "(text/html) \(type)", "\(type) (/html",
                type.replacing("/", with: " / "), type.replacing("/", with: "(x)/(y)"), type + " text/html",
                type + ",text/html",
                type + "\u{0}", type.replacing("/", with: "/\r\n "), type + "\u{B}", "(\\) \(type) (;boundary=evil)",
                type + ";",
            ])
        return (name + value + more + parameter + "\r\n", other)
    }

    /// Returns text that may stand before, between or behind the fields.
    private mutating func disturbance(_ other: String) -> String {
        guard chance(1, in: 5) else { return "" }
        let html = "Content-Type: text/html"
        let evil = "Content-Type: multipart/mixed; boundary=\(other)"
        return odd(
            "header line", "", oneIn: 1,
            [
                "\(html)\r\n", "\(evil)\r\n", "\(html)\r\n\(html)\r\n", "content-type:text/html\r\n",
                "Content-Type\r\n", "Content-Type :text/html\r\n",
                "no field\r\n", "X\r\n \(evil)\r\n", " \r\n", "\t\r\n", " \(evil)\r\n", "X: y\r\(evil)\r\n",
                "X: y\r\r\n", "X: y\r\r\n\r\n",
                "X: y\u{0}\r\n", "X: y\u{0}\n\(evil)\r\n", "\u{0}\r\n", "X : y\r\n", "X-\u{E4}: y\r\n", ":\r\n",
                ": x\r\n", "X y: z\r\n",
                "X: y\n\(evil)\r\n", "X: y\n\r\n", "X: \(String(repeating: "z", count: 1200))\r\n",
                "X: y\u{2028}\(evil)\r\n",
                "X: y\u{85}\(evil)\r\n", "X: y\u{B}\(evil)\r\n", "X: y\u{C}\(evil)\r\n",
                "Content-Transfer-Encoding: base64\r\n",
                "Content-Transfer-Encoding: quoted-printable\r\n", "Content-Transfer-Encoding: 7bit (x)\r\n",
                "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n",
                "Content-Transfer-Encoding: x-uuencode\r\n",
                "Content-Transfer-Encoding: base64 7bit\r\n", "Content-Transfer-Encoding: \"7bit\"\r\n",
                "Content-Transfer-Encoding: (base64) 7bit\r\n",
                "Content-Length: 300\r\n", "Content-Length: 0\r\n", "Lines: 1\r\n", "Content-Base: x\r\n",
                "--\(boundary)\r\n", "--\(other)\r\n",
                "X: y\r\n\r\n\r", "\u{FEFF}\r\n", "X: y\r\n--\(other)\r\n\(html)\r\n",
                "Content-Disposition: attachment; filename=x.html\r\n",
                "MIME-Version: 2.0\r\n", "From x@y.test Mon Jan 6 10:00:00 2025\r\n",
                ">From x@y.test Mon Jan 6 10:00:00 2025\r\n",
            ])
    }

    // MARK: - The whole

    mutating func mail(content: String, second: String, isSigned: Bool) -> [UInt8] {
        let (type, other) = contentType(isSigned: isSigned)
        var header = odd(
            "begin", "", oneIn: 20,
            [
                "\u{FEFF}", "\r\n", " \r\n", "From x@y.test Mon Jan 6 10:00:00 2025\r\n",
                ">From x@y.test Mon Jan 6 10:00:00 2025\r\n", " x\r\n", "\r", "\u{0}",
            ])
        header += "From: carol@partner.test\r\nTo: bob@example.test\r\nSubject: Payment\r\n" + disturbance(other)
        header += odd(
            "version", "MIME-Version: 1.0\r\n", oneIn: 12,
            [
                "", "MIME-Version: 2.0\r\n", "MIME-Version: 1.0 (x)\r\n", "MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n",
                "Mime-version:1.0\r\n",
            ])
        header += disturbance(other) + type + disturbance(other)
        let gap = odd(
            "empty line", "\r\n", oneIn: 25, [" \r\n", "\t\r\n", "\n", "\r\r\n", "\u{0}\r\n", "\r\n\r\n", "\r"])
        var preamble = chance(1, in: 2) ? "This is a message in MIME format.\r\n" : ""
        var epilogue = ""
        preamble = odd(
            "preamble", preamble, oneIn: 8,
            [
                "", "\r\n", "See: \(OddMail.mark)\r\n", "See: \(OddMail.mark)\r\n\(OddMail.mark) again\r\n",
                "\r\nSee: \(OddMail.mark)\r\n", "See: x\r\n\r\n\(OddMail.mark)\r\n",
                "See: x\r\n \r\n\(OddMail.mark)\r\n",
                "See: x\n\n\(OddMail.mark)\n", "See: x\r\r\(OddMail.mark)\r\n",
                "\(OddMail.mark): x\n\r\(OddMail.mark)\r\n",
                "Content-Type: text/html\r\n\(OddMail.mark)\r\n",
                "Content-Disposition: attachment; filename=contract.pdf\r\n",
                "X: y\r\n\(OddMail.mark)\r\n\r\n", "See:\r\n \(OddMail.mark)\r\n\t\r\n",
            ])
        if chance(1, in: 2) { preamble += forgery(other) }
        if chance(1, in: 3) { epilogue += forgery(other) }
        let first = odd("first delimiter", "--\(boundary)\r\n", oneIn: 15, delimiterForms)
        let middle = odd("middle delimiter", "\r\n--\(boundary)\r\n", oneIn: 15, delimiterForms.map { "\r\n" + $0 })
        let last = odd(
            "last delimiter", "\r\n--\(boundary)--\r\n", oneIn: 15,
            [
                "", "\r\n--\(boundary)--", "\r\n--\(boundary)-- \r\n", "\r\n--\(boundary)--x\r\n",
                "\n--\(boundary)--\n", "\r\n--\(boundary)-\r\n",
            ])
        return Array((header + gap + preamble + first + content + middle + second + last + epilogue).utf8)
    }

    private var delimiterForms: [String] {
        [
            "--\(boundary) \r\n", "--\(boundary)\t\r\n", "--\(boundary)\n", "--B0und\r\n", "--\(boundary)\u{0}\r\n",
            "--\(boundary)\r\r\n", "--\(boundary)\u{B}\r\n",
        ]
    }
}
