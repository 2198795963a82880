import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("ses while a fault lasts, and after it is lifted")
    struct SESLastingFaults {
        private static let places: [(call: String, path: String)] = [
            ("write", "/spool/work"), ("fsync", "/spool/work"), ("create", "/spool/work"), ("rename", "/spool/work"),
            ("rename", "/spool/publish"), ("rename", "/outgoing/new"), ("rename", "/incoming/new"),
            ("rename", "/delivered/new"), ("mkdir", "/spool/work"), ("rmdir", "/spool/publish"),
            ("unlink", "/spool/publish"), ("lock", "/spool/work"), ("open", "/spool/work"), ("open", "/outgoing/new"),
            ("open", "/delivered"), ("stat", "/spool/work"), ("read", "/message"), ("write", "/spool/journal"),
            ("create", "/spool/state"), ("access", "/outgoing/new"), ("fsync", "/delivered/new"),
        ]

        /// Of the thirteen numbers each place meets seven, so that each number meets each kind of call.
        private static var points: [LastingPoint] {
            let numbers = LastingPoint.numbers
            return places.enumerated().flatMap { index, place in
                (0..<7).map { step in
                    LastingPoint(
                        call: place.call, path: place.path, number: numbers[(index * 7 + step) % numbers.count])
                }
            }
        }

        /// Returns the deviations from the expected outcome.
        private static func faults(_ point: LastingPoint, lasting duration: Duration) async throws -> [String] {
            let ses = try await SESUnderFault()
            let fault = try LastingFault(point.call, on: point.path, point.number)
            var daemon = try await ses.fixture.watch(environment: try await fault.environment(program: "ses"))
            try ses.putUnmatched("before")
            _ = try await ses.arrival(of: "before", since: .now)
            for number in 0..<2 { try ses.putOutgoing("early\(number)") }
            try fault.begin()
            for number in 0..<3 {
                try ses.putOutgoing("n\(number)")
                try ses.put("i\(number)", MailSamples.plain(id: "i\(number)"), to: .incoming)
            }
            var found: [String] = []
            let begin = try daemon.processorTime()
            let lines = daemon.text(.error).troubleLines.count
            try await Task.sleep(for: duration)
            if daemon.isRunning {
                let used = try daemon.processorTime() - begin
                // What was dropped is worked, as far as it goes: that is no loop.
                if used > .milliseconds(300) + duration / 50 { found.append("used \(used) of \(duration)") }
                let more = daemon.text(.error).troubleLines.count - lines
                if .seconds(more) > duration + .seconds(3) { found.append("\(more) lines in \(duration)") }
                let isStuck = try ses.counts().keys.contains { $0 != "delivered/new" }
                if isStuck, try await ses.status().isHealthy { found.append("healthy meanwhile") }
                try fault.lift()
            } else {
                // The one fault that must end it: a directory that cannot be made durable.
                let ended = try await daemon.finished()
                if ended.status != 74 { found.append("ended: \(ended)") }
                try fault.lift()
                daemon = try await ses.fixture.watch()
            }
            if let took = try await ses.recovers(within: .seconds(40)) {
                if took > .seconds(15) { found.append("healthy only after \(took)") }
            } else {
                found.append("never healthy again: \(try await ses.status().reasons), \(try ses.counts())")
            }
            let stop = ContinuousClock.now
            let ended = try await daemon.terminate(within: .seconds(20))
            if ended.status != 0 || ContinuousClock.now - stop > .seconds(10) {
                found.append("the end: \(ended.status)")
            }
            return found + (try ses.faults())
        }

        @Test("costs little, says so, diverts nothing, and is over 15 s later", .timeLimit(.minutes(60)))
        func lasting() async throws {
            await FaultPoints.run("ses, lasting faults", Self.points, normally: 2, width: 4) { point in
                try await Self.faults(point, lasting: FaultShare.isWhole ? .seconds(10) : .seconds(5))
            }
        }

        // MARK: - Folders

        private static let folders = [
            "delivered", "delivered/new", "admin", "retry", "retry/new", "blocked", "corrupt", "work", "publish",
            "journal", "state", "outgoing/new", "incoming/new", "outgoing", "incoming",
        ]

        private static func removed(_ folder: String) async throws -> [String] {
            let ses = try await SESUnderFault()
            let daemon = try await ses.fixture.watch()
            try ses.putOutgoing("before")
            _ = try await ses.arrival(of: "before", since: .now)
            let kept = ses.fixture.scratch.file("kept")
            guard rename(ses.fixture.spool + "/" + folder, kept) == 0 else { return ["rename: \(errno)"] }
            // A Maildir that is put in again by its owner; without one there is nowhere to put mail.
            if folder.hasPrefix("outgoing") || folder.hasPrefix("incoming") {
                try await Task.sleep(for: .seconds(2))
                let made = try await ses.fixture.ses(["init", ses.fixture.spool])
                if made.status != 0 { return ["ses init: \(made)"] }
            }
            try ses.putOutgoing("after")
            try await ses.putIncoming("verified")
            var found: [String] = []
            for name in ["after", "verified"] { _ = try await ses.arrival(of: name, since: .now) }
            if folder.hasPrefix("delivered") {
                // What was there went away with it.
                for file in try FileManager.default.subpathsOfDirectory(atPath: kept)
                where file.contains(",E=") {
                    let target = ses.fixture.spool + "/delivered/new/" + (file.split(separator: "/").last ?? "")
                    guard rename(kept + "/" + file, target) == 0 else { return ["rename back: \(errno)"] }
                }
            }
            if try await ses.recovers(within: .seconds(15)) == nil {
                found.append("not healthy: \(try await ses.status().reasons)")
            }
            let ended = try await daemon.terminate(within: .seconds(20))
            if ended.status != 0 { found.append("the end: \(ended)") }
            return found + (try ses.faults())
        }

        @Test("a folder that is removed while it watches is made again, and nothing is diverted")
        func folders() async throws {
            await FaultPoints.run("ses, folders removed", Self.folders, normally: 4, width: 2) { folder in
                try await Self.removed(folder)
            }
        }

        @Test("a folder whose mode keeps ses out holds up mail, and diverts none", .enabled(if: geteuid() == 0))
        func modes() async throws {
            let folders = ["work", "publish", "delivered/new", "retry/new", "journal", "state", "outgoing/new"]
            await FaultPoints.run("ses, folders without rights", folders, normally: 2, width: 2) { folder in
                let ses = try await SESUnderFault()
                let daemon = try await ses.fixture.watch()
                let path = ses.fixture.spool + "/" + folder
                var before = stat()
                guard stat(path, &before) == 0, chmod(path, 0o500) == 0 else { return ["chmod: \(errno)"] }
                try ses.putOutgoing("one")
                try await ses.putIncoming("two")
                try await Task.sleep(for: .seconds(4))
                var found: [String] = []
                let counts = try ses.counts()
                if counts["admin/new"] != nil || counts["blocked/new"] != nil { found.append("diverted: \(counts)") }
                let isStuck = counts.keys.contains { $0 != "delivered/new" } || folder == "journal"
                if isStuck, try await ses.status().isHealthy { found.append("healthy meanwhile: \(counts)") }
                guard chmod(path, before.st_mode & 0o7777) == 0 else { return ["chmod: \(errno)"] }
                if try await ses.recovers(within: .seconds(15)) == nil {
                    found.append("not healthy: \(try await ses.status().reasons)")
                }
                let ended = try await daemon.terminate(within: .seconds(20))
                if ended.status != 0 { found.append("the end: \(ended)") }
                return found + (try ses.faults())
            }
        }
    }
}
