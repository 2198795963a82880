import InternetMessage
import Octets
import Testing

@Suite("File names as people and readers see them (RFC 2183 §2.3)")
struct ShownFileNameTests {
    @Test(
        "one is taken for the other",
        arguments: [
            ("invoice.pdf", "INVOICE.PDF"), ("invoice.pdf", "docs/invoice.pdf"),
            ("invoice.pdf", "C:\\tmp\\invoice.pdf"),
            ("invoice.pdf", "../invoice.pdf"), ("invoice.pdf", "inv\u{200B}oice.pdf"), ("invoice.pdf", "invoice.pdf. "),
            ("invoice.pdf", "invoice.pdf\u{A0}"), ("invoice.pdf", " invoice.pdf"), ("invoice.pdf", "invoice .pdf"),
            ("invoice.pdf", "ｉｎｖｏｉｃｅ．ｐｄｆ"), ("invoice.pdf", "inv\u{43E}ice.pdf"), ("Invoice.pdf", "lnvoice.pdf"),
            ("résumé.pdf", "re\u{301}sume\u{301}.pdf"), ("my invoice.pdf", "my_invoice.pdf"),
            ("my invoice.pdf", "my  invoice.pdf"), ("invoice.pdf", "\u{202E}fdp.eciovni"),
            ("invoice.pdf", "=?utf-8?q?invoice=2Epdf?="), ("invoice.pdf", "invoice%2Epdf"),
            ("invoice.pdf", "invoice.pdf\0.txt"), ("invoice.pdf", "x\u{2215}invoice.pdf"), ("ﬁle.pdf", "file.pdf"),
            ("invoice.pdf", "invoice\u{FF0E}pdf"), ("report 1.pdf", "report\u{2007}1.pdf"),
            ("straße.pdf", "STRASSE.PDF"), ("invoice.pdf", "'invoice.pdf'"), ("invoice.pdf", "invoice.pdf,"),
            ("invoice.pdf", "\u{201E}invoice.pdf\u{201C}"), ("invoice.pdf", "invoice.pdf;"),
            ("invoice.pdf", "invoice\u{3002}pdf"), ("modern.pdf", "modem.pdf"), ("invoice.pdf", "i\u{307}nvoice.pdf"),
        ])
    func same(_ one: String, _ other: String) {
        #expect(ShownFileName(one).isTaken(for: ShownFileName(other)), "\(ShownFileName(one)) \(ShownFileName(other))")
        #expect(ShownFileName(other).isTaken(for: ShownFileName(one)))
    }

    @Test(
        "one is not taken for the other",
        arguments: [
            ("invoice.pdf", "invoice-2.pdf"), ("invoice.pdf", "invoice.txt"), ("a.pdf", "b.pdf"), ("1.pdf", "2.pdf"),
            ("scan_1_1.pdf", "scan_11.pdf"), ("请求.pdf", "回复.pdf"), ("", ""), ("invoice.pdf", "invoice.pdf.p7s"),
        ])
    func different(_ one: String, _ other: String) {
        #expect(!ShownFileName(one).isTaken(for: ShownFileName(other)))
    }

    @Test("the ending is that of each reading")
    func endings() {
        #expect(ShownFileName("Report.PDF. ").endings == ["pdf"])
        #expect(ShownFileName("invoice.exe:x.pdf").endings.isSuperset(of: ["exe", "pdf"]))
        #expect(ShownFileName("x.p7s\u{200B}").hasEnding("p7s") && !ShownFileName("p7s").hasEnding("p7s"))
        #expect(ShownFileName("a.pdf.p7s").withoutEnding?.isTaken(for: ShownFileName("A.PDF")) == true)
        #expect(ShownFileName("README").withoutEnding == nil && ShownFileName("").withoutEnding == nil)
    }

    @Test("a part may be shown under the names of all parameters of both fields, and a description")
    func parts() throws {
        let message = try Message(
            reading: OctetString(
                "Content-Type: application/pdf; filename=a.pdf; name=\"b.pdf\"\r\nContent-Description: d.pdf\r\n"
                    + "Content-Disposition: attachment; name=\"c.pdf\"; filename*=koi8-r''e.pdf\r\n\r\nx\r\n"))
        let names = message.root.shownFileNames(using: BuiltInCharsets())
        for name in ["a.pdf", "b.pdf", "c.pdf", "e.pdf"] {
            #expect(names.contains { $0.isTaken(for: ShownFileName(name)) }, "\(name)")
        }
        #expect(message.root.shownDescriptions(using: BuiltInCharsets()) == [ShownFileName("d.pdf")])
    }

    @Test(
        "a part may be shown under the name that readers find who know no charset, take the last parameter, or the location",
        arguments: [
            "Content-Disposition: attachment; filename=\"=?x-none?Q?invoice.pdf?=\"",
            "Content-Disposition: attachment; filename*=utf-16''%00i%00n%00v%00o%00i%00c%00e%00.%00p%00d%00f",
            "Content-Disposition: attachment; filename=a.txt; filename=invoice.pdf",
            "Content-Type: application/pdf; name=a.txt; name=\"invoice.pdf\"",
            "Content-Location: https://x.test/files/invoice.pdf", "Content-Name: invoice.pdf",
        ])
    func otherReaders(_ field: String) throws {
        let part = try Message(reading: OctetString(field + "\r\n\r\nx\r\n")).root
        let names =
            part.shownFileNames(using: BuiltInCharsets()) + part.shownDescriptions(using: BuiltInCharsets())
        #expect(names.contains { $0.isTaken(for: ShownFileName("invoice.pdf")) }, "\(names)")
    }

    @Test("a name of any length takes little time")
    func length() {
        let long = ShownFileName("a" + String(repeating: "\u{301}", count: 200_000) + ".pdf")
        #expect(long.readings.allSatisfy { $0.unicodeScalars.count <= 1_100 })
    }
}
