import Foundation
import Glibc
import Delivery
import InternetMessage
import Synchronization
import TestSupport
import Testing

@testable import RelayProgram
@testable import Spool

/// The events in order: each message's end that was sent, and each fsync of the relay's own files.
private final class Sequence: Sendable {
    private let kept = Mutex<[String]>([])
    var events: [String] { kept.withLock { $0 } }

    func note(_ event: String) { kept.withLock { $0.append(event) } }

    var durability: Durability {
        Durability { descriptor in
            let path = Self.path(descriptor)
            if path.hasSuffix("/done") { self.note("record: " + Self.lastWords(path)) }
            return fsync(descriptor)
        } directory: { descriptor in
            let path = Self.path(descriptor)
            if path.hasSuffix("/relay/work") {
                self.note("work")
            } else if path.contains("/relay/work/") {
                self.note("entry")
            }
            return fsync(descriptor)
        }
    }

    private static func path(_ descriptor: CInt) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")) ?? ""
    }

    /// Outcome and recipient of the last line.
    private static func lastWords(_ path: String) -> String {
        let text = String(decoding: (try? TestMaterial.octets(path)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").last?.split(separator: " ").prefix(2).joined(separator: " ") ?? ""
    }
}

@Suite("A relay whose power fails")
struct PowerLossTests {
    @Test("has its claim on disk before anything is sent, and each reply before anything more is sent")
    func order() throws {
        let sequence = Sequence()
        let bench = try RelayBench(
            """
            <Route name="x" toDomain="x.test"><gateway>192.0.2.1</gateway></Route>
            <gateway>192.0.2.2</gateway>
            """, durability: sequence.durability)
        bench.transport.beforeReport.withLock { $0 = { sequence.note("sent") } }
        bench.transport.answer("c@y.test", .report(.deferred))
        try bench.put(to: ["b@x.test", "c@y.test"])
        bench.pass()
        let expected = [
            "entry", "work", "record: offered b@x.test", "sent", "record: sent b@x.test", "record: offered c@y.test",
            "sent", "record: deferred c@y.test",
        ]
        #expect(Array(sequence.events.prefix(8)) == expected, "\(sequence.events)")
    }

    @Test("the room for all that can be recorded of an attempt is reserved before a server is spoken to")
    func reserved() throws {
        let bench = try RelayBench()
        let recipients = (0..<40).map { "r\($0)@x.test" }
        let needed = DeliveryLine.maximumRecordLength(of: try recipients.map { try #require(AddrSpec(parsing: $0)) })
        let sequence = Sequence()
        bench.transport.beforeReport.withLock {
            $0 = { [path = bench.path] in
                for name in (try? FileManager.default.contentsOfDirectory(atPath: path + "/relay/work")) ?? [] {
                    var status = stat()
                    guard stat(path + "/relay/work/" + name + "/done", &status) == 0 else { continue }
                    let room = Int(status.st_blocks) * 512
                    sequence.note(room >= needed ? "reserved" : "\(room) octets, \(needed) needed")
                }
            }
        }
        try bench.put(to: recipients)
        bench.pass()
        #expect(sequence.events == ["reserved"])
    }
}
