import Foundation
import Monitoring
import TestSupport
import Testing

@testable import HouseStatus

@Suite("Sockets of this machine, found by connecting")
struct LocalSocketTests {
    @Test("an address of another machine is not tried")
    func foreign() {
        #expect(LocalSocket.of("https://adss.example.test/adss/signing/dss") == nil)
        #expect(LocalSocket.of("http://192.0.2.1:8777/x") == nil)
    }

    @Test("the path of a Unix socket stands between the colons")
    func path() {
        #expect(
            LocalSocket.unixPath("http://unix:/var/lib/ses-dss/socket:/adss/signing/dss") == "/var/lib/ses-dss/socket")
        #expect(LocalSocket.unixPath("http://127.0.0.1/x") == nil)
    }

    @Test("a listener answers, and a port without one refuses")
    func ports() throws {
        let listener = try SilentServer()
        guard case .answered = LocalSocket.of(listener.address + "/adss") else {
            Issue.record("\(listener.address) did not answer")
            return
        }
        guard case .refused = LocalSocket.of("http://127.0.0.1:\(try DSSFixture.deadPort())/") else {
            Issue.record("a dead port answered")
            return
        }
    }

    @Test("the place of the spool is found in a configuration with faults too, and not in a comment")
    func spool() throws {
        let scratch = try ScratchDirectory()
        func named(_ text: String) throws -> String? {
            HouseLook.spool(namedIn: try scratch.write(Array(text.utf8), to: "ses.xml"))
        }
        #expect(try named("<SES><Spool>/a/b</Spool><Broken") == "/a/b")
        #expect(try named("<SES><!-- <Spool>/c</Spool> --><Spool> /d </Spool></SES>") == "/d")
        #expect(try named("<SES><Spool>spool</Spool></SES>") == scratch.path + "/spool")
        #expect(try named("<SES/>") == nil)
    }
}
