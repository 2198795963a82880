import Foundation
import Monitoring
import ProgramLife
import TestSupport
import Testing

@testable import RelayProgram

@Suite("Files of foreign names where the relay sends from")
struct StrangerTests {
    @Test("a file whose name is not of the spool and that says nothing of its way stays in place, and is reported")
    func foreign() throws {
        let bench = try RelayBench()
        let path = try bench.scratch.write(Array(RelayBench.message.utf8), to: "spool/delivered/new/1.M1.host")
        bench.pass()
        #expect(bench.board.snapshot.reasons.isEmpty, "it may not be complete yet")
        bench.time += 3
        bench.pass()
        #expect(try bench.counts() == ["delivered/new": 1])
        let reason = try #require(bench.board.snapshot.reasons["left in delivered"])
        #expect(reason.code == .foreignName && reason.text.contains("not of the spool") && reason.path == path)
        try FileManager.default.removeItem(atPath: path)
        bench.pass()
        #expect(bench.board.snapshot.reasons.isEmpty)
    }

    @Test("a file of a foreign name is sent by its trace fields, once, and never with them", arguments: Stranger.all)
    func stranger(_ given: Stranger) throws {
        let bench = try RelayBench()
        try bench.scratch.write(Array((given.head + RelayBench.message).utf8), to: "spool/delivered/new/1.M1.host")
        for _ in 0..<3 {
            bench.pass()
            bench.time += 3
        }
        guard given.isSent else {
            #expect(bench.transport.deliveries.isEmpty)
            #expect(try bench.counts() == ["delivered/new": 1])
            #expect(bench.board.snapshot.reasons["left in delivered"]?.text.contains(given.reason) == true)
            return
        }
        #expect(try bench.counts().isEmpty && bench.board.snapshot.reasons.isEmpty)
        let delivery = try #require(bench.transport.deliveries.first)
        #expect(bench.transport.deliveries.count == 1)
        #expect(delivery.recipients.map { "\($0)" } == ["b@x.test", "c@x.test"])
        #expect("\(delivery.sender)".contains("a@example.test"))
    }

    @Test("a file of a foreign name that grows is waited for")
    func growing() throws {
        let bench = try RelayBench()
        let head = "Return-Path: <a@example.test>\nEnvelope-To: b@x.test\n"
        for round in 1...3 {
            let text = head + RelayBench.message + String(repeating: "more\n", count: round)
            try bench.scratch.write(Array(text.utf8), to: "spool/delivered/new/copy")
            bench.pass()
            bench.time += 1
        }
        #expect(bench.transport.deliveries.isEmpty)
        bench.time += 2
        bench.pass()
        #expect(bench.transport.deliveries.count == 1)
    }
}

/// The head of a file that another program has put into `delivered/new`.
struct Stranger: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let head: String
    /// A part of the reason why it stays; empty if it is sent.
    var reason = ""
    var isSent: Bool { reason.isEmpty }

    static let all = [
        Stranger(
            testDescription: "Return-Path and Envelope-To",
            head: "Return-Path: <a@example.test>\nEnvelope-To: b@x.test, c@x.test\n"),
        Stranger(
            testDescription: "Return-Path and X-Envelope-To",
            head: "Return-Path: <a@example.test>\nX-Envelope-To: b@x.test\nX-Envelope-To: c@x.test\n"),
        Stranger(
            testDescription: "Delivered-To, twice",
            head: "Delivered-To: b@x.test\nDelivered-To: c@x.test\nReturn-Path: <a@example.test>\n"),
        Stranger(
            testDescription: "an envelope block of ours without an entry",
            head: "Return-Path: <a@example.test>\nEnvelope-To: b@x.test, c@x.test\nX-SES-End: 1\n"),
        Stranger(
            testDescription: "a copy of a message of ours",
            head: "Return-Path: <a@example.test>\nEnvelope-To: b@x.test\n"
                + "X-SES-Entry: 0123456789abcdef0123456789abcdef\nX-SES-End: 1\n", reason: "which may have been sent"),
        Stranger(testDescription: "no sender", head: "Envelope-To: b@x.test\n", reason: "Return-Path"),
        Stranger(testDescription: "no recipient", head: "Return-Path: <a@example.test>\n", reason: "Envelope-To"),
        Stranger(
            testDescription: "trace fields of an earlier hop only",
            head: "Received: by x; Tue, 1 Dec 2026 09:00:00 +0000\nReturn-Path: <a@example.test>\n"
                + "Delivered-To: b@x.test\n", reason: "Return-Path"),
    ]
}
