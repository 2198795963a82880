import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("Putting signed attachments into their message")
struct AttachmentSpliceTests {
    static let token = "0123456789abcdef"
    static let pdf = OctetString([UInt8]("%PDF-1.7\n".utf8) + (0...255).map { UInt8($0) })
    static let cms = OctetString((0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) })

    static func spliced(_ text: String, _ changes: [Entity.Path: AttachmentChange]) throws -> OctetString {
        AttachmentSplice(changes, token: token).applied(to: try Given.message(text)).collected()
    }

    /// LF for CRLF, to be compared with what tests write.
    static func lf(_ octets: OctetString) -> String {
        String(decoding: octets.filter { $0 != 0x0D }, as: UTF8.self)
    }

    static let mixed = """
        From: alice@example.test
        Subject: =?utf-8?q?Angebot?=
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary="b"; x-kept = "yes"

        preamble
        --b
        Content-Type: text/plain

        Hello  \t
        --b
        Content-Type: application/pdf;
         name*=utf-8''%C3%9Cbersicht%20%22a%22.pdf
        Content-Transfer-Encoding: quoted-printable
        Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
        Content-Disposition: ATTACHMENT ; filename="=?utf-8?q?=C3=9Cbersicht?= .pdf"; size=4
        X-Odd:   kept as it is

        =25PDF
        --b
        Content-Type: image/png

        picture
        --b--
        epilogue

        """

    @Test("a document is replaced in its place: only encoding, digest and body of its part are new")
    func replaced() throws {
        let result = try Self.spliced(Self.mixed, [[1]: .replaced(Self.pdf, charset: nil)])
        let expected = Self.mixed
            .replacing("Content-Transfer-Encoding: quoted-printable", with: "Content-Transfer-Encoding: base64")
            .replacing("Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\n", with: "")
            .replacing("=25PDF\n", with: Self.lf(Base64Encoded(Self.pdf).collected()) + "\n")
        #expect(Self.lf(result) == expected)
        #expect(result.count { $0 == 0x0D } == result.count { $0 == 0x0A }, "every line ends with CRLF")
    }

    @Test("a part without Content-Transfer-Encoding is given one, behind its other fields")
    func encodingAdded() throws {
        let text = Self.mixed.replacing("Content-Transfer-Encoding: quoted-printable\n", with: "")
        let result = try Self.spliced(text, [[1]: .replaced(Self.pdf, charset: nil)])
        #expect(
            Self.lf(result).contains("X-Odd:   kept as it is\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjcK"))
    }

    @Test("an enclosing CMS takes the place of the file under a name of its own, with the part's other fields")
    func enclosed() async throws {
        let name = "Übersicht \"a\".pdf.p7m"
        let result = try Self.spliced(Self.mixed, [[1]: .enclosed(Self.cms, name: name)])
        let leaves = try await PythonMailReading.leaves(of: [result.array])[0]
        #expect(leaves.map(\.type) == ["text/plain", "application/pkcs7-mime", "image/png"])
        #expect(leaves[1].name == name && leaves[1].disposition == "attachment")
        #expect(leaves[1].octets == Self.cms.array)
        let part = try Message(reading: result).root.children[1]
        #expect(part.contentType.parameter("smime-type")?.text == "signed-data")
        #expect(part.contentType.parameter("name")?.text == name)
        #expect(part.header.first("X-Odd")?.rawBody == OctetString("   kept as it is"))
        #expect(part.header.first("Content-MD5") == nil)
        #expect(part.header.fields.count == 4, "no field stands twice")
    }

    @Test("a detached CMS stands directly behind its file; a file in base64 is not changed")
    func accompanied() async throws {
        let text = Self.mixed.replacing("quoted-printable", with: "base64").replacing("=25PDF", with: "JVBERg==")
            .replacing("=?utf-8?q?=C3=9Cbersicht?= .pdf", with: "a.pdf")
        let content = OctetString("%PDF")
        let result = try Self.spliced(
            text, [[1]: .accompanied(content: content, signature: Self.cms, name: "a.pdf.p7s")])
        let added =
            "\n--b\nContent-Type: application/pkcs7-signature; name=a.pdf.p7s\nContent-Transfer-Encoding: base64\n"
            + "Content-Disposition: attachment; filename=a.pdf.p7s\n\n"
            + Self.lf(Base64Encoded(Self.cms).collected())
        #expect(Self.lf(result) == text.replacing("JVBERg==", with: "JVBERg==" + added))
        let leaves = try await PythonMailReading.leaves(of: [result.array])[0]
        #expect(leaves[2].octets == Self.cms.array && leaves[2].name == "a.pdf.p7s")
    }

    @Test("a file in text encoding beside its signature becomes base64, because line ends change on the way")
    func accompaniedText() async throws {
        let text = """
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Disposition: attachment; filename=a.txt

            one
            two
            --b--

            """
        let content = OctetString("one\r\ntwo")
        let result = try Self.spliced(
            text, [[0]: .accompanied(content: content, signature: Self.cms, name: "a.txt.p7s")])
        let leaves = try await PythonMailReading.leaves(of: [Array(Self.lf(result).utf8)])[0]
        #expect(leaves.map(\.name) == ["a.txt", "a.txt.p7s"])
        #expect(leaves[0].octets == content.array)
    }

    @Test(
        "if names leave open which file is meant, file and signature stand apart from the others",
        arguments: [("a.bin", "a-2.bin.p7s"), ("A.BIN", "a.bin.p7s"), ("b.bin", "attachment.p7s")])
    func mistakable(_ other: String, _ name: String) throws {
        let text = Self.mixed.replacing("Content-Type: image/png", with: "Content-Type: image/png; name=\(other)")
            .replacing("=?utf-8?q?=C3=9Cbersicht?= .pdf", with: "a.bin")
        let result = try Self.spliced(
            text, [[1]: .accompanied(content: OctetString("%PDF"), signature: Self.cms, name: name)])
        let parts = try Message(reading: result).root.children
        #expect(parts.map(\.contentType.mediaType) == ["text/plain", "multipart/mixed", "image/png"])
        #expect(parts[1].children.map(\.contentType.subtype) == ["pdf", "pkcs7-signature"])
    }

    // MARK: - Places

    static func around(_ subtype: String, _ file: String) -> String {
        """
        Content-Type: multipart/\(subtype); boundary=b

        --b
        Content-Type: text/html

        <p>
        --b
        \(file)
        --b--

        """
    }

    static let file = "Content-Type: x/y; name=a.bin\nContent-ID: <a@x>\nContent-Transfer-Encoding: base64\n\nAAEC"

    @Test(
        "if parts each have a meaning, file and signature get a multipart/mixed of their own",
        arguments: ["related", "alternative", "report", "digest", "parallel", "x-unknown"])
    func wrapped(_ subtype: String) async throws {
        let text = Self.around(subtype, Self.file)
        let change = AttachmentChange.accompanied(
            content: OctetString([0, 1, 2]), signature: Self.cms, name: "a.bin.p7s")
        let result = try Self.spliced(text, [[1]: change])
        let root = try Message(reading: result).root
        #expect(root.children.count == 2)
        #expect(root.children[1].contentType.mediaType == "multipart/mixed")
        #expect(root.children[1].children.map(\.contentType.mediaType) == ["x/y", "application/pkcs7-signature"])
        #expect(root.children[1].children[0].octets == OctetString(Self.file.replacing("\n", with: "\r\n")))
        let leaves = try await PythonMailReading.leaves(of: [result.array])[0]
        #expect(leaves.map(\.name) == [nil, "a.bin", "a.bin.p7s"])
        #expect(leaves[1].octets == [0, 1, 2] && leaves[2].octets == Self.cms.array)
        #expect(root.defects.isEmpty && root.children[1].defects.isEmpty)
    }

    @Test("nested multiparts, several changes: each in its place")
    func nested() async throws {
        let text = """
            Content-Type: multipart/mixed; boundary=o

            --o
            Content-Type: multipart/mixed; boundary=i

            --i
            \(Self.file)
            --i
            \(Self.file.replacing("a.bin", with: "b.bin"))
            --i--
            between
            --o
            \(Self.file.replacing("a.bin", with: "c.bin"))
            --o--

            """
        let content = OctetString([0, 1, 2])
        let result = try Self.spliced(
            text,
            [
                [0, 0]: .accompanied(content: content, signature: Self.cms, name: "a.bin.p7s"),
                [0, 1]: .enclosed(Self.cms, name: "b.bin.p7m"), [1]: .replaced(Self.pdf, charset: nil),
            ])
        let leaves = try await PythonMailReading.leaves(of: [result.array])[0]
        #expect(leaves.map(\.name) == ["a.bin", "a.bin.p7s", "b.bin.p7m", "c.bin"])
        #expect(leaves.map(\.octets) == [content.array, Self.cms.array, Self.cms.array, Self.pdf.array])
        #expect(Self.lf(result).contains("\n--i--\nbetween\n--o\n"))
    }

    @Test("a delimiter directly behind the header is an empty file, and the new part has its empty line")
    func emptyPart() async throws {
        let text =
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename=a\n--b--\n"
        let result = try Self.spliced(text, [[0]: .replaced(Self.pdf, charset: nil)])
        let leaves = try await PythonMailReading.leaves(of: [result.array])[0]
        #expect(leaves.map(\.octets) == [Self.pdf.array])
        #expect(leaves[0].name == "a")
    }

    @Test("without a final delimiter the last line is ended, and nothing else is added")
    func unclosed() async throws {
        let text =
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n--b\n\(Self.file)\n"
        let replaced = try Self.spliced(text, [[1]: .replaced(Self.pdf, charset: nil)])
        #expect(Self.lf(replaced).hasSuffix(Self.lf(Base64Encoded(Self.pdf).collected()) + "\n"))
        let content = OctetString([0, 1, 2])
        let beside = try Self.spliced(
            text, [[1]: .accompanied(content: content, signature: Self.cms, name: "a.bin.p7s")])
        let leaves = try await PythonMailReading.leaves(of: [replaced.array, beside.array])
        #expect(leaves[0].map(\.octets).last == Self.pdf.array)
        #expect(leaves[1].map(\.octets).suffix(2) == [content.array, Self.cms.array])
    }

    // MARK: - A message that is one file

    static let single = """
        Received: from x
        Content-Type: application/pdf; name="a.pdf"
        From: alice@example.test
        Content-Transfer-Encoding: base64
        Content-Length: 17
        Subject: x
        Content-Description: offer

        JVBERg==

        """

    @Test("a message that is one document stays one, with MIME-Version")
    func singleReplaced() throws {
        let result = try Self.spliced(Self.single, [[]: .replaced(Self.pdf, charset: nil)])
        let expected = Self.single.replacing("Content-Length: 17\n", with: "")
            .replacing(
                "\n\nJVBERg==\n", with: "\nMIME-Version: 1.0\n\n" + Self.lf(Base64Encoded(Self.pdf).collected()) + "\n")
        #expect(Self.lf(result) == expected)
    }

    static let wraps: [(AttachmentChange, [String])] = [
        (.enclosed(cms, name: "a.pdf.p7m"), ["a.pdf.p7m"]),
        (
            .accompanied(content: OctetString("%PDF"), signature: cms, name: "a.pdf.p7s"), ["a.pdf", "a.pdf.p7s"]
        ),
    ]

    @Test("a message that is one file becomes a multipart/mixed, never a signed mail", arguments: wraps.indices)
    func singleWrapped(_ index: Int) async throws {
        let (change, names) = Self.wraps[index]
        let result = try Self.spliced(Self.single, [[]: change])
        let root = try Message(reading: result).root
        #expect(root.contentType.mediaType == "multipart/mixed" && root.defects.isEmpty)
        #expect(
            root.header.fields.map(\.name) == ["Received", "From", "Subject", "MIME-Version", "Content-Type"])
        guard case .none = SMIMEForm.of(root) else { return #expect(Bool(false), "it reads as a signed mail") }
        #expect(SMIMEForm.signedPartsBelow(root).isEmpty, "a file is no layer of the mail")
        let leaves = try await PythonMailReading.leaves(of: [result.array])[0]
        #expect(leaves.map(\.name) == names)
        #expect(leaves.last?.octets == Self.cms.array)
        #expect(root.children[0].header.first("Content-Description") != nil)
        #expect(root.children[0].header.first("Subject") == nil)
    }

    // MARK: - Names and charsets

    static let names = [
        "plain.txt", "with blank.txt", "quote\"back\\slash.txt", "Ünïcödé – 日本語.pdf", "semi;colon=eq.txt",
        "../../etc/passwd", "C:\\x\\y.doc", "=?utf-8?q?=C3=9C?=.txt", "100%25'.txt", "tab\there",
        "line\r\nBcc: x@y.test",
        "\u{202E}fdp.exe", "a'b''c.txt", ".hidden", "", " ", "name.", String(repeating: "n", count: 300),
        String(repeating: "ü", count: 400), "emoji \u{1F600}.bin", "(comment).txt", "a,b.txt",
    ]

    @Test("names of any characters arrive unchanged, and stay within their field")
    func oddNames() async throws {
        var messages: [[UInt8]] = []
        for name in Self.names {
            for change in [
                AttachmentChange.enclosed(Self.cms, name: name + ".p7m"),
                .accompanied(content: Self.pdf, signature: Self.cms, name: name + ".p7s"),
            ] {
                messages.append(try Self.spliced(Self.mixed, [[1]: change]).array)
            }
        }
        let leaves = try await PythonMailReading.leaves(of: messages)
        for (index, found) in leaves.enumerated() {
            let name = Self.names[index / 2] + (index % 2 == 0 ? ".p7m" : ".p7s")
            // Python trims what it finds.
            #expect(found[index % 2 == 0 ? 1 : 2].name == (name.first == " " ? String(name.dropFirst()) : name))
            let message = try Message(reading: OctetString(messages[index]))
            #expect(message.header.fields.map(\.name) == ["From", "Subject", "MIME-Version", "Content-Type"])
            let part = message.root.walk().filter(\.children.isEmpty)[index % 2 == 0 ? 1 : 2]
            #expect(part.fileName(using: BuiltInCharsets()) == name)
            #expect(part.header.fields.allSatisfy { $0.name.hasPrefix("Content-") || $0.name == "X-Odd" })
            #expect(part.header.fields.allSatisfy { field in field.raw.allSatisfy { $0 < 0x80 } })
        }
    }

    @Test("a document in a new encoding says so in its media type, if the type names an encoding")
    func charset() throws {
        func type(_ declared: String, _ charset: String?) throws -> String? {
            let text = Self.mixed.replacing(
                "Content-Type: application/pdf;\n name*=utf-8''%C3%9Cbersicht%20%22a%22.pdf", with: declared)
            let result = try Self.spliced(text, [[1]: .replaced(Self.pdf, charset: charset)])
            return try Message(reading: result).root.children[1].header.first("Content-Type")?.text
        }
        let latin = "Content-Type: text/xml; charset=iso-8859-1; name=a.xml"
        #expect(try type(latin, nil) == "text/xml; charset=iso-8859-1; name=a.xml")
        #expect(try type(latin, "utf-8") == "text/xml; charset=utf-8; name=a.xml")
        #expect(try type("Content-Type: text/xml; name=a.xml", "utf-8") == "text/xml; name=a.xml")
    }

    @Test("a name that is taken gets a number before its ending")
    func freeNames() throws {
        var names = FreeFileNames(
            of: try Given.message(
                Self.mixed.replacing("Content-Type: image/png", with: "Content-Type: image/png; name=A.TXT.P7M")),
            ["a.txt"])
        #expect(names.reserve("a.txt", ending: ".p7s") == "a.txt.p7s")
        #expect(names.reserve("a.txt", ending: ".p7m") == "a-2.txt.p7m")
        #expect(names.reserve("a.txt", ending: ".p7m") == "a-3.txt.p7m")
        #expect(
            names.reserve("smime", ending: ".p7m") == "smime-2.p7m", "a file is not called like a layer of the mail")
        #expect(names.reserve(nil, ending: ".p7m") == "attachment.p7m")
        #expect(names.reserve(nil, ending: ".p7m") == "attachment-2.p7m")
        #expect(names.reserve(".profile", ending: ".p7m") == ".profile.p7m")
        #expect(names.reserve(".profile", ending: ".p7m") == ".profile-2.p7m")
    }
}
