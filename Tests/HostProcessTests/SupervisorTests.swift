import HostProcess
import TestSupport
import Testing

@Suite("Notices to a service manager")
struct SupervisorTests {
    @Test("arrive one by one, at a path and at an abstract name", arguments: [false, true])
    func arrive(isAbstract: Bool) async throws {
        let manager = try NotifySocket(isAbstract: isAbstract)
        let supervisor = Supervisor(address: manager.address)
        #expect(supervisor.isPresent)
        #expect(supervisor.ready("healthy") == nil && supervisor.alive() == nil && supervisor.stopping() == nil)
        try await eventually("three notices") { manager.notices.count == 3 ? () : nil }
        #expect(manager.notices == ["READY=1\nSTATUS=healthy", "WATCHDOG=1", "STOPPING=1\nSTATUS=stopping"])
    }

    @Test("a text with line feeds is one line of status, of bounded length, and no further notice")
    func oneLine() async throws {
        let manager = try NotifySocket()
        Supervisor(address: manager.address).status("disk full\nREADY=1\r\u{7F}" + String(repeating: "x", count: 4_000))
        try await eventually("a notice") { manager.notices.isEmpty ? nil : () }
        #expect(manager.notices.count == 1 && manager.count("READY=1") == 0)
        #expect(manager.notices[0].hasPrefix("STATUS=disk full READY=1  xxx") && manager.notices[0].utf8.count < 400)
    }

    @Test("without a service manager nothing is sent and nothing fails")
    func nobody() {
        for address in [nil, "", "@", "relative/path"] {
            let supervisor = Supervisor(address: address, watchdogMicroseconds: "1000000")
            #expect(!supervisor.isPresent && supervisor.watchdogInterval == nil && supervisor.ready("") == nil)
        }
    }

    @Test("a service manager that is gone is reported with its address")
    func gone() {
        let trouble = Supervisor(address: "/nonexistent/notify").ready("healthy")
        #expect(trouble?.contains("/nonexistent/notify") == true && trouble?.contains("No such file") == true)
    }

    @Test(
        "the watchdog's interval is a number above 0, and for this process",
        arguments: [
            ("2000000", nil, true), ("0", nil, false), ("-5", nil, false), ("soon", nil, false),
            ("2000000", "1", false),
        ]
            as [(String, String?, Bool)])
    func interval(_ text: String, _ process: String?, isThere: Bool) {
        let supervisor = Supervisor(address: "@x", watchdogMicroseconds: text, watchdogProcess: process)
        #expect(supervisor.watchdogInterval == (isThere ? .seconds(2) : nil))
    }
}
