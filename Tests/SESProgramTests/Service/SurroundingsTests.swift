import Octets
import ProgramLife
import Testing

@testable import SESProgram

@Suite("Surroundings and source files")
struct SurroundingsTests {
    @Test("the configuration is the option, otherwise the environment's, otherwise the system's")
    func configuration() {
        let here = Surroundings(environment: ["SES_CONFIG": "/env.xml"])
        #expect(here.configurationPath(option: "/said.xml") == "/said.xml")
        #expect(here.configurationPath(option: nil) == "/env.xml")
        #expect(Surroundings(environment: [:]).configurationPath(option: nil) == "/etc/ses/ses.xml")
    }

    @Test("the spool is the option, otherwise the configured one, otherwise the system's")
    func spool() {
        let here = Surroundings(environment: ["SES_SPOOL": "/env"])
        #expect(here.spoolPath(option: "/said", configured: "/configured") == "/said")
        #expect(here.spoolPath(option: nil, configured: "/configured") == "/configured")
        #expect(Surroundings(environment: [:]).spoolPath(option: nil, configured: nil) == "/var/spool/ses")
    }

    @Test("drop knows no configuration")
    func drop() {
        let here = Surroundings(environment: ["SES_SPOOL": "/env"])
        #expect(here.dropSpoolPath(option: "/said") == "/said")
        #expect(here.dropSpoolPath(option: nil) == "/env")
        #expect(Surroundings(environment: [:]).dropSpoolPath(option: nil) == "/var/spool/ses")
    }

    @Test("root may run if it says so")
    func root() {
        #expect(throws: Never.self) { try Surroundings(environment: [:]).refuseRoot(allowed: true) }
        #expect(throws: Never.self) {
            try Surroundings(environment: ["SES_ALLOW_ROOT": "1"]).refuseRoot(allowed: false)
        }
    }

    @Test("the host's name is fit for a header field")
    func hostName() {
        let name = Surroundings(environment: [:]).hostName
        #expect(!name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }

    struct Source: CustomTestStringConvertible, Sendable {
        let name: String
        let block: String?
        let isBare: Bool
        var testDescription: String { name }
    }

    static let unique = "1790000000.0123456789abcdef0123456789abcdef.0011223344556677"

    @Test(
        "a file is read as the spool would read it",
        arguments: [
            Source(name: unique + ",E=4", block: "abcd", isBare: false),
            Source(name: unique, block: nil, isBare: false),
            Source(name: unique + ",E=4.eml", block: nil, isBare: true),
            Source(name: "x.eml", block: nil, isBare: true),
            Source(name: "1.M1.host", block: nil, isBare: false),
            Source(name: unique + ",E=99", block: nil, isBare: false), Source(name: "", block: nil, isBare: false),
        ])
    func source(_ given: Source) {
        let file = SourceFile(octets: OctetString("abcdmessage"), name: given.name)
        #expect(file.block?.text == given.block && file.isBare == given.isBare)
        #expect(file.raw.text == (given.block == nil ? "abcdmessage" : "message"))
    }
}
