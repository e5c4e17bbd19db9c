/// The numbers that shape a relay, each with what it trades.
package enum Tuning {
    /// Messages that one lane moves before every other lane is looked at. More saves system calls in a
    /// flood; fewer lets an interrupt through sooner (64 messages of 300 bytes take about 0.2 ms).
    package static let burstMessages = 64

    /// Bytes that one lane hashes or moves in a turn, for the same reason: at the speed of SHA-256 two
    /// passes over this take about 0.6 ms, which is what a 200 MB cell output may cost an interrupt.
    package static let burstBytes = 512 * 1024

    /// Bytes that go through one hash before they go through the other: small enough that the second finds
    /// them in the first-level cache.
    package static let hashPiece = 16 * 1024

    /// libzmq's high-water mark for every pipe of a relay. Large enough that a burst seldom waits for the
    /// other thread. libzmq counts messages and not bytes, so that one slow client may make the relay hold
    /// twice this number of messages, whatever their size, besides `holdLimit`.
    package static let pipeDepth: Int32 = 256

    /// Bytes of iopub messages that a relay holds itself before it lets the kernel feel the slow client.
    /// ipykernel drops its output without a word once its own 1,000 messages are queued: what is held here
    /// is what stands between a slow client and that.
    package static let holdLimit = 64 * 1024 * 1024

    /// What a held frame costs on top of its bytes: its descriptor and its allocation. Counted, so that a
    /// flood of tiny frames is bounded as well.
    package static let frameOverhead = 128

    /// Frames up to the first size lie in their descriptor; frames from the second on have memory of their own
    /// or fill what they share. Those in between are copied when they are held.
    package static let inlineFrame = 33
    package static let sharedFrame = 4096

    /// Frames in one message. A message with a widget's thousand buffers passes; one with more is dropped. It
    /// is in memory by then: libzmq collects a whole message before it shows any of it, and has no limit on
    /// its frames.
    package static let mostFrames = 4096

    /// The largest single frame, in front and behind. libzmq takes a frame whole into memory before anyone
    /// can look at its signature; and it tells a size only up to this.
    package static let largestFrame = Int64(Int32.max)

    /// The largest frame of a heartbeat that a client sends: Jupyter's have 4 to 30 bytes. CURVE needs some 300.
    package static let largestHeartbeat: Int64 = 4096

    /// The largest frame that a client may send on iopub: a topic, or a step of the CURVE handshake. libzmq
    /// spends some 50 bytes on each byte of a topic, and anybody who can connect can send one.
    package static let largestSubscription: Int64 = 4096

    /// Wait before a refused back is tried again; it grows by an eighth each time up to the second figure, so
    /// that a kernel is found within an eighth of the time it took to listen, and a dead one costs little.
    package static let firstRetry: Duration = .milliseconds(10)
    package static let longestRetry: Duration = .seconds(1)

    /// When one of the five connections to a kernel is lost, how long the others may be silent before they
    /// are given up too.
    package static let lastWords: Duration = .seconds(1)

    /// When the kernel is to be looked for elsewhere, the old one may be alive: how long it must be silent before it
    /// is given up (a round trip to a far host, so that an answer on its way arrives), and how long a talkative one is
    /// heard at most.
    package static let partingSilence: Duration = .milliseconds(100)
    package static let partingAtMost: Duration = .seconds(1)

    /// How long a relay waits for its own heartbeat before it lets requests through without it: a kernel that
    /// answers none may still work.
    package static let probeAtMost: Duration = .milliseconds(500)

    /// While it publishes, libzmq looks at new subscriptions once in 3,000,000 cycles of the processor.
    package static let subscriptionSettles: Duration = .milliseconds(3)

    /// libzmq may report a connection's end before it hands over the last of what came by it.
    package static let afterLoss: Duration = .milliseconds(10)

    /// When a kernel was lost, what was meant for it is still on its way: in libzmq's pipes, in the sockets'
    /// buffers, in the client's own queue. It counts as arrived for the old kernel until nothing has come for
    /// the first time span, and at most for the second.
    package static let staleSilence: Duration = .milliseconds(50)
    package static let staleAtMost: Duration = .seconds(2)

    /// When one way to a kernel has answered, how long the better ones have: enough for a far host's round trip that
    /// was under way, and little of what a launch takes.
    package static let routeGrace: Duration = .milliseconds(50)

    /// Wait before a refused probe is tried again. Well within the grace, or a worse way would be taken because it
    /// was asked at a luckier moment.
    package static let probeRetry: Duration = .milliseconds(20)

    /// A connection that ends after this was not hung up on but waited for in vain. libzmq waits ten seconds.
    package static let silence: Duration = .seconds(5)

    /// Endpoints that are probed at once. Each takes four descriptors, and all of them fit into `descriptors`.
    package static let mostProbes = 16

    /// How long a closing relay lets libzmq hand its last messages to a client that does not read.
    package static let farewellMilliseconds: Int32 = 250

    /// Safety net under a held message. libzmq cannot say "this XPUB, this ROUTER peer can be written to
    /// again": it wakes the descriptor, and a wake-up can be eaten by another call on the same socket.
    package static let heldRetry: Duration = .milliseconds(10)

    /// Descriptors one relay needs at rest, with room for its first clients. libzmq aborts the process
    /// when it cannot make one, so that a relay asks before it starts.
    package static let descriptors = 96

    /// A header that a relay reads, of a welcome or an interrupt. ipykernel's has 240 bytes.
    package static let largestHeader = 4096

    /// How long a kernel has for its `interrupt_reply`. One that knows the message answers in milliseconds, were it not
    /// for a slow line or a machine under load; a person who waits for an interrupt gives up after a few seconds.
    package static let interruptReply: Duration = .seconds(1)

    /// Interrupts that are remembered until the kernel has answered them. One more than these is not passed on, but
    /// answered by the relay at once: a kernel with so many before it does not read them.
    package static let mostInterrupts = 64

    /// The identities of an interrupt that the relay may have to answer: a client has one, of 36 bytes or so.
    package static let mostIdentities = 8
    package static let longestIdentities = 1024

    /// Bytes by which what the relay says itself may exceed `holdLimit`: an interrupt is answered although the output
    /// that it is to stop has filled the hold. Some 700 messages.
    package static let ownRoom = 1 << 20

    /// Cells that a kernel has and may leave unanswered by dying, and bytes of their contents that are kept, in which
    /// their flags are; those of a cell beyond them count as usual. Run All in a long notebook sends hundreds.
    package static let mostOpenCells = 1024
    package static let openCellBytes = 4 << 20

    /// The largest cell that is kept for a kernel that is being started. A larger one is answered at once, with the
    /// reason why there is no kernel.
    package static let largestKeptCell = 16 << 20

    /// The largest request that is read where the relay answers in a kernel's place: cells aside, real ones have less than
    /// a kilobyte, but may quote the code that is to be completed.
    package static let largestReadContent = 1 << 20

    /// The largest message of a debugger in which paths are changed: it is looked through on the thread that an interrupt
    /// passes, at some 100 MB/s. What has paths is far smaller, a list of all modules included; what is larger shows
    /// variables.
    package static let largestDebugContent = 1 << 20

    /// Bytes of a topic that a client may subscribe to and be welcomed on, and how many such topics may wait
    /// for a kernel that welcomes.
    package static let longestTopic = 256
    package static let mostTopics = 64

    /// Messages in which a kernel's welcome is looked for: it is the first thing that a kernel says to a new
    /// subscriber, but what was published in the same moment may come before it.
    package static let welcomeWithin = 16

    // Diagnostics

    /// How often a relay sends a heartbeat of its own, and how long one may take. With `lookEvery` under three seconds, in
    /// which a kernel that is stuck is to be seen as such.
    package static let beatEvery: Duration = .milliseconds(1800)
    package static let beatPatience: Duration = .milliseconds(900)

    /// A beat costs some 100 µs of processor time in two threads, and 200 kernels are to cost under a hundredth of a core.
    /// So kernels at rest, of which nobody has asked anything for a while, are asked as seldom as if all relays of a process
    /// took turns, so far apart: with up to 72 relays as often as any, with 200 or more as seldom as it may be.
    package static let beatsApart: Duration = .milliseconds(25)
    package static let beatAtLeastEvery: Duration = .seconds(5)
    package static let restsAfter: Duration = .seconds(5)

    /// How often a gate with kernels is asked how they are, and after what time without an answer it counts as silent and
    /// the engine is asked why. The engine is asked less often after the first times.
    package static let watchEvery: Duration = .seconds(1)
    package static let watchLater: Duration = .seconds(5)
    package static let gateIsSilent: Duration = .milliseconds(700)
    package static let watchGivesUp: Duration = .seconds(3600)

    /// How long the engine may take to say what has become of a container, with all that must be asked for it. With the
    /// two above and `lookEvery` under three seconds: an engine that hangs is to be told of as soon as one that has ended.
    /// Asked again it has all its time (`engineAnswers`), so that one that is merely slow is not taken for gone for long.
    package static let watchEngine: Duration = .milliseconds(1000)

    /// What a kernel was like is kept for ten minutes.
    package static let sampleEvery: Duration = .seconds(2)

    /// How often a kernel is looked at that has a cell, or with which something is the matter: a person waits there, and is
    /// told. A look costs some 20 µs; 200 kernels at rest are looked at with their samples alone.
    package static let lookEvery: Duration = .milliseconds(250)
    package static let historySamples = 300

    /// Kernels that have ended are told of for a while, so that what became of them can be seen.
    package static let endedIsKept: Duration = .seconds(600)
    package static let mostEnded = 32

    /// Something that waits for a client for so long is not a burst any more.
    package static let clientIsSlow: Duration = .seconds(1)

    /// A cell that has no reply after this shows that its kernel is busy, even when it does not say so.
    package static let cellWaits: Duration = .seconds(1)

    /// A relay's thread goes round with every beat; one that is so late is stuck.
    package static let threadIsLate: Duration = .seconds(2)

    /// Whoever looks goes round four times a second. One that has not for so long was held up with all others: the machine
    /// slept, or relayd was stopped. No more than `threadIsLate`, so that a shorter time accuses nobody.
    package static let lookerIsHeldUp: Duration = .seconds(2)

    /// A kernel that answers no heartbeat and uses so much of a core computes, whatever it says.
    package static let computes = 0.2

    /// The content of a kernel's status has 27 bytes, or a few more of white space.
    package static let longestStatus = 64

    /// Requests that a relay remembers as begun: those that a kernel is busy with, and those without a reply.
    package static let mostBusy = 64
    package static let mostOpenRequests = 64

    /// Bytes of kernels in one part of a status report; what else is in the first fits into the frame beside them.
    package static let statusPart = 512 * 1024

    /// The largest connection file that is read: a real one has 400 bytes.
    package static let largestConnectionFile = 1 << 20

    /// The largest list of kernels that is read: some thousands of entries.
    package static let largestKernelList = 1 << 20

    /// The largest project file that is read. One has a hundred bytes; variables may be longer.
    package static let largestProjectFile = 64 << 10

    /// How long a command of the engine's client may take before it is killed. What only asks takes 20 ms here,
    /// and a remote engine's answer a second; a copy moves 7 MB; a run may pull an image of many gigabytes.
    package static let engineAnswers: Duration = .seconds(15)
    package static let engineCopies: Duration = .seconds(60)
    package static let engineRuns: Duration = .seconds(1800)
    /// What a run that somebody interrupts gets to come to its end, with a container that can be removed.
    package static let runIsInterrupted: Duration = .seconds(10)
    /// A commit is not given up for being slow: the engine would go on with it, and nobody would remove the image. An engine
    /// that hangs for so long has other troubles.
    package static let engineCommits: Duration = .seconds(86_400)

    /// How long compose may take to say what a project is: the one in Python takes a second here, and many on a busy machine.
    package static let composeAnswers: Duration = .seconds(60)

    /// Bytes of a client's answer that are read. An inspect has 8 kB; with a thousand networks it has one
    /// megabyte.
    package static let largestAnswer = 4 << 20

    /// Containers that are looked at for one label: a service has one, or a few while it is scaled or made anew.
    package static let mostLabelled = 16

    /// Containers among which the nearest name is looked for.
    package static let mostNames = 1000

    /// The last bytes of what a client wrote to stderr: enough for the reason, which comes last.
    package static let longestComplaint = 4096

    /// How long a gate may take to say its first word: an exec takes 70 ms here, and many seconds on a machine
    /// that swaps.
    package static let gateSpeaks: Duration = .seconds(20)

    /// A client whose gate has said nothing is given this long to end by itself, and to leave its exit code.
    package static let clientEnds: Duration = .seconds(2)

    /// How long a container that `relayd up` made is watched: one whose command cannot run ends sooner.
    package static let containerStays: Duration = .milliseconds(300)

    /// How long a copy of the gate that does not run may be one that another relayd is writing, and how often it is tried:
    /// 7 MB take a fifth of a second here, and seconds where the engine is busy.
    package static let copyArrives: Duration = .seconds(10)
    package static let copyIsTriedAgain: Duration = .milliseconds(250)

    // Sessions

    /// How long a launch waits for the notebook's ports: the shim before may have been killed a moment ago.
    package static let portPatience: Duration = .seconds(3)
    package static let portRetry: Duration = .milliseconds(20)

    /// How long the search for a route may take to say what it has found when the launch's time is over.
    package static let searchEnds: Duration = .seconds(1)

    /// The last bytes of a kernel's output that are kept to tell why a launch failed.
    package static let tailBytes = 4096

    /// What a kernel gets between SIGTERM and SIGKILL when its shim was killed. Jupyter has waited already.
    package static let abandonedGrace: Duration = .milliseconds(500)

    /// What a kernel gets between SIGTERM and SIGKILL whose time is over. It was told long before.
    package static let expiredGrace: Duration = .seconds(5)

    /// How long a launch waits for a place in a container that is full: the kernel that is being restarted may be on its
    /// way out.
    package static let placePatience: Duration = .seconds(3)
    package static let placeRetry: Duration = .milliseconds(200)

    /// How long a kernel's last words may take once its process has ended.
    package static let lastWordsOfKernel: Duration = .seconds(1)

    /// A relayd that ends and leaves its kernels waits until no client has sent anything for the first time span,
    /// and at most for the second: what is in a socket when it closes is lost.
    package static let handOverSilence: Duration = .milliseconds(30)
    package static let handOverAtMost: Duration = .milliseconds(500)

    /// Raw output that is kept for a shim that does not read it; more is dropped, with a line that says so.
    package static let shimBacklog = 4 * 1024 * 1024

    /// Waits between the attempts to join a gate whose link was lost: 20 seconds in all, which an engine needs
    /// to be restarted. For so long who needs the link waits for it.
    package static let rejoinPauses: [Duration] = [0, 0.2, 0.5, 1, 2, 4, 6, 6].map { .seconds($0) }

    /// How often it is looked for then, as long as nobody can say whether it is there: an attempt costs up to three
    /// commands of the engine's client.
    package static let rejoinLater: Duration = .seconds(5)

    /// How long after a container's end it is asked what has become of it.
    package static let containerSettles: Duration = .milliseconds(500)

    /// How long a cell waits for the whole reason when compose takes its container away: the next one is there after a
    /// second or two. With the settling above it is under the three seconds in which a person is to be told. Afterwards
    /// it is looked for some ten minutes longer, which nobody waits for.
    package static let successorComes: Duration = .milliseconds(2200)
    package static let successorLook: Duration = .milliseconds(200)
    package static let successorPauses: [Duration] = [0.5, 1, 2, 4, 8, 15, 30, 60, 120, 120, 240].map {
        .seconds($0)
    }

    /// How long a gate may take to answer; and, for the end of a kernel or of itself, how long beyond the grace: it looks
    /// for what is left of a tree for ten seconds.
    package static let gateAnswers: Duration = .seconds(10)
    package static let gateEnds: Duration = .seconds(15)
    package static let gateLeaves: Duration = .seconds(1)

    /// A link that lived so long was a good one; one that was lost sooner counts against its gate.
    package static let linkIsStable: Duration = .seconds(10)

    /// How long a session waits for a shim that does not read what its kernel said last.
    package static let farewellToShim: Duration = .seconds(5)

    /// How long a kernel that an earlier relayd started may wait for its shim, which tries for a minute.
    package static let claimWithin: Duration = .seconds(70)

    /// How long kernels run on that nobody has a link to and no relay is connected to by a way that leads by no link, in
    /// seconds: longer than a shim takes to find the next relayd, which is a minute. In a container among others they may
    /// be those of a tunnel whose engine is being repaired, and their variables are worth more than their memory; whoever
    /// starts a kernel there ends those that nobody claims. One in a container of its own was started for one notebook,
    /// and nobody comes by. That container ends by itself a little after its gate has had the time to end the kernel.
    package static let orphanAmongOthers: Int64 = 4 * 3600
    package static let orphanAlone: Int64 = 90
    package static let unusedContainer: Int64 = 105

    /// What a command on the host gets between SIGTERM and SIGKILL: `docker stop`, which it may be about to call, gives a
    /// container ten seconds.
    package static let hostCommandGrace: Duration = .seconds(12)

    /// How long a gate without kernels is kept: the next kernel starts faster by what an exec costs.
    package static let gateIdle: Duration = .seconds(300)

    /// Where a gate listens when the exposed ports are taken by another: below the range in which a gate puts
    /// kernels that want tcp, and below those for outgoing connections.
    package static let privatePorts: ClosedRange<UInt16> = 15000...19999
    package static let privatePortAttempts = 5

    /// How long a tunnel's socket rests when there is no descriptor for another connection.
    package static let tunnelRests: Duration = .milliseconds(50)

    /// Connections of one kernel's programs to the ssh agent: its own programs are a few, and a container is not to use up
    /// what the agent and relayd have.
    package static let mostAgentStreams = 32

    /// How long after a kernel's start or end relayd gives memory back that it no longer needs: when the start is over.
    package static let tidyAfter: Duration = .seconds(3)

    /// How long a relayd waits for one that ends and has given its socket up already.
    package static let predecessorEnds: Duration = .seconds(15)

    /// How long the control socket rests when there is no descriptor for another connection.
    package static let acceptPauseMicroseconds: UInt32 = 50_000

    /// How often `relayd drain --wait` looks whether a kernel is left.
    package static let drainLooks: Duration = .milliseconds(300)
    /// For how long it must have seen no kernel, once relayd was not there: shims whose relayd was killed begin to start the
    /// next at once, and take their kernels up in milliseconds when it listens. While one of them starts it nothing is
    /// believed at all. More only makes whoever waits where no relayd runs wait longer.
    package static let drainDoubt: Duration = .seconds(2)

    // The doctor

    /// How long one check may take that has no other limit: what answers at all answers in a second or two.
    package static let checkAtMost: Duration = .seconds(10)

    /// How long the engine's client may take to show that it gets through where this user does not: within a check.
    package static let clientAnswers: Duration = .seconds(5)

    /// Containers into which is looked for kernels at the same time: more only queue at the engine.
    package static let surveysAtOnce = 4

    /// How long a kernel on trial has from its launch to its answer. A notebook gives up after 60 seconds.
    package static let trialAtMost: Duration = .seconds(60)

    /// How long it then has to end, before it is ended with its connection.
    package static let trialEnds: Duration = .seconds(10)

    /// How long a container's address may take to answer: a bridge answers in microseconds, what is nowhere never.
    package static let neighbourMilliseconds: Int32 = 1000

    /// Lines of relayd's log that a report holds.
    package static let reportedLines = 200

    // Views

    /// How often `relayd top` asks with the last ten minutes, which are a hundred times as long as the rest.
    package static let topHistoryEvery: Duration = .seconds(5)

    // Discovery

    /// Containers that are shown: more than anybody looks through in a launcher. Each costs a question to the engine
    /// whenever one of them begins or ends.
    package static let mostDiscovered = 64

    /// How long is waited after an event for those that belong to it: compose makes a container anew by a dozen.
    package static let discoverySettles: Duration = .milliseconds(200)

    /// Seconds by which the events begin earlier than now: the engine's clock may be another's. After so many seconds its
    /// client is begun anew: one that outlived its relayd ends by then at the latest.
    package static let discoveryOverlap = 5
    package static let discoveryRenews = 600

    /// Waits between the attempts to hear the engine's events: one that restarts is back after a second or two, one that is
    /// not there costs a process each time.
    package static let discoveryPauses: [Duration] = [0.2, 0.5, 1, 2, 4, 8, 15, 30].map { .seconds($0) }

    /// Bytes of an event. Docker's have all labels of their container; a longer one rings all the same.
    package static let longestEvent = 64 * 1024

    /// Characters of a name in the launcher, which shows some thirty; and bytes of the other labels.
    package static let longestDisplayName = 80
    package static let longestLabel = 4096

    // The log

    /// Events that relayd keeps in memory; at the most that a stranger's words can make of them some megabytes.
    package static let logEntries = 1000

    /// Those of them that a status report shows.
    package static let eventsShown = 200

    /// Characters of one fact: enough for a reason with its context.
    package static let longestFact = 500

    /// Bytes of relayd.log before it is set aside; the one that was set aside before goes then.
    package static let largestLog = 4 << 20

    /// Entries in one message: at their longest, they fit into a frame.
    package static let logPage = 32

    /// Bytes that may wait for a reader of the log before it is sent no more.
    package static let logBacklog = 256 * 1024

    /// Bytes of what a kernel wrote to stderr that relayd keeps, and the number of ended kernels of which it keeps them.
    package static let stderrTail = 64 * 1024
    package static let stderrOfEnded = 32

    // The status page

    /// Who reads at once: a browser holds one connection for each window and asks for the rest by one or two more.
    package static let pageReaders = 32

    /// How long a reader may take to ask, how long relayd to know the answer, how long a reader may take nothing of what is
    /// for it, and how long it may take to hang up.
    package static let pageAsks: Duration = .seconds(5)
    package static let pageAnswers: Duration = .seconds(30)
    package static let pageTakes: Duration = .seconds(20)
    package static let pageParts: Duration = .seconds(2)

    /// Bytes behind a request, which nobody asked for and nobody reads.
    package static let pageUnasked = 64 * 1024

    /// How often the page is told what has changed; how often with the last ten minutes, which are a hundred times as
    /// long; and after how many turns without a change a line says that there was none.
    package static let pageEvery: Duration = .seconds(1)
    package static let pageHistoryTurns = 5
    package static let pageSilentTurns = 10
}
