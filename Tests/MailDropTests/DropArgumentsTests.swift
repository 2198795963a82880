import HostProcess
import MailDrop
import MailEnvelope
import Spool
import Testing

@Suite("Command line of drop")
struct DropArgumentsTests {
    private func read(_ arguments: String...) throws -> DropArguments {
        try #require(try DropArguments.reading(arguments))
    }

    @Test("reads options in each form that mail servers write")
    func forms() throws {
        for sender in [["-f", "a@b.test"], ["-fa@b.test"], ["--from", "a@b.test"], ["--from=a@b.test"]] {
            let read = try #require(
                try DropArguments.reading(
                    ["--to", "outgoing"] + sender + ["--spool=/s", "x@y.test", "--", "-z@y.test"]))
            #expect(read.sender == "a@b.test")
            #expect(read.queue == .outgoing)
            #expect(read.spool == "/s")
            #expect(read.recipients == ["x@y.test", "-z@y.test"])
            #expect(read.queueID == nil)
            #expect(read.notification == NotificationRequest())
        }
    }

    @Test("takes the argument behind -f and -V as the value, whatever it looks like")
    func anything() throws {
        #expect(try read("--to", "incoming", "-f", "", "--", "x@y.test").sender.isEmpty)
        let odd = try read("--to", "incoming", "-f", "--", "-V", "-id", "--", "x@y.test")
        #expect(odd.sender == "--")
        #expect(odd.notification.identifier?.text == "-id")
        #expect(odd.recipients == ["x@y.test"])
    }

    @Test("reads the notifications, and nothing from empty values")
    func notification() throws {
        let full = try read(
            "--to=incoming", "-fa@b.test", "-Nsuccess,delay", "-R", "hdrs", "-Vid+20x", "--", "x@y.test")
        #expect(full.notification.notify?.events == [.success, .delay])
        #expect(full.notification.returned == .header)
        #expect(full.notification.identifier?.text == "id x")
        let empty = try read(
            "--to", "incoming", "-f", "", "-N", "", "-R", "", "-V", "", "--queue-id", "", "--", "x@y.test")
        #expect(empty.notification == NotificationRequest())
    }

    @Test("counts the last of a repeated option")
    func repeated() throws {
        #expect(try read("--to", "incoming", "--to", "outgoing", "-f", "a@b.test").queue == .outgoing)
    }

    @Test(
        "refuses a wrong command line with EX_USAGE",
        arguments: [
            [], ["--to", "outgoing"], ["-f", "a@b.test"], ["--to", "sideways", "-f", "a@b.test"],
            ["--to", "outgoing", "-f"], ["--to", "outgoing", "-f", "a", "--queue-id", "-x"],
            ["--to", "outgoing", "-f", "a", "--unknown"], ["--to", "outgoing", "-f", "a", "-x"],
            ["--to", "outgoing", "-f", "a", "-N", "sometimes"], ["--to", "outgoing", "-f", "a", "-R", "half"],
            ["--to", "outgoing", "-f", "a", "-V", "a b"],
        ])
    func wrong(_ arguments: [String]) throws {
        let refusal = try #require(throws: ProgramError.self) { try DropArguments.reading(arguments) }
        #expect(refusal.status == .usage)
    }

    @Test("asks for the help with -h and --help")
    func help() throws {
        #expect(try DropArguments.reading(["-h"]) == nil)
        #expect(try DropArguments.reading(["--to", "outgoing", "--help"]) == nil)
    }
}
